// What a verification has to hold before it is worth timing. Each check has users of its own.
import { codeOf, PERIOD, presentStep, wrongCodes } from "./users.mjs";

const PARALLEL = 50;

/** A race that is lost now and then is lost: each check is made with this many users. */
const USERS = 5;

/** The checks' users are numbered from here, behind those that are timed. */
const FIRST = 900_000_000;

/** Runs all checks; answers `[{ name, failed }]`, `failed` being what went wrong first, or `null`. */
export async function check(running) {
  const all = Object.entries(checks(running));
  await running.enrol(Array.from({ length: USERS * all.length }, (_, index) => FIRST + index));
  const results = [];
  for (const [index, [name, run]] of all.entries()) {
    const failures = [];
    for (let user = FIRST + USERS * index; user < FIRST + USERS * (index + 1); user++) {
      await earlyInAStep();
      failures.push(await run(user, presentStep()).catch((error) => error.message));
    }
    const failed = failures.filter(Boolean);
    results.push({ name, failed: failed.length ? `with ${failed.length} of ${USERS} users, such as: ${failed[0]}` : null });
  }
  return results;
}

function checks(running) {
  const guess = (user, code) => send(running, user, code);
  const limit = running.lockAfter;
  const among = (verdicts, wanted) => verdicts.filter((verdict) => verdict === wanted).length;
  const unless = (holds, text) => (holds ? null : text);
  return {
    "a right code is accepted": async (user, step) => {
      const verdict = await guess(user, codeOf(user, step));
      return unless(verdict === "good", `it was ${verdict}`);
    },
    "a wrong code is refused": async (user, step) => {
      const verdict = await guess(user, wrongCodes(user, step, 1)[0]);
      return unless(verdict === "wrong", `it was ${verdict}`);
    },
    "a used code is refused": async (user, step) => {
      const [first, second] = [await guess(user, codeOf(user, step)), await guess(user, codeOf(user, step))];
      return unless(first === "good" && second !== "good", `first ${first}, then ${second}`);
    },
    [`of ${PARALLEL} parallel guesses no more are looked at than the lock allows`]: async (user, step) => {
      const verdicts = await Promise.all(wrongCodes(user, step, PARALLEL).map((code) => guess(user, code)));
      const looked = among(verdicts, "wrong");
      if (looked + among(verdicts, "locked") < PARALLEL) return `answers that are neither wrong nor locked: ${count(verdicts)}`;
      return unless(looked <= limit, `${looked} were looked at, ${limit} are allowed`);
    },
    [`of ${PARALLEL} parallel uses of a code one is accepted`]: async (user, step) => {
      const verdicts = await Promise.all(Array(PARALLEL).fill(codeOf(user, step)).map((code) => guess(user, code)));
      return unless(among(verdicts, "good") === 1, `${among(verdicts, "good")} were accepted (${count(verdicts)})`);
    },
    [`after ${limit} wrong codes a right one is refused`]: async (user, step) => {
      const verdicts = [];
      for (const code of wrongCodes(user, step, limit)) verdicts.push(await guess(user, code));
      const last = await guess(user, codeOf(user, step));
      if (verdicts.some((verdict) => verdict !== "wrong")) return `a wrong code was ${count(verdicts)}`;
      return unless(last === "locked", `it was ${last}`);
    },
  };
}

async function send(running, user, code) {
  const { path, headers, body } = running.request(user, code);
  const response = await fetch(running.origin + path, { method: "POST", headers, body });
  const text = await response.text();
  // A server that breaks has looked at nothing that it tells.
  return response.status >= 500 ? `status ${response.status}` : running.verdict(response.status, text);
}

/** `3 good, 47 used`. */
function count(verdicts) {
  const counts = new Map();
  for (const verdict of verdicts) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return [...counts].map(([verdict, number]) => `${number} ${verdict}`).join(", ");
}

/** So that a check does not see its step end. */
async function earlyInAStep() {
  const left = PERIOD - ((Date.now() / 1000) % PERIOD);
  if (left < 8) await new Promise((resolve) => setTimeout(resolve, 1000 * left + 50));
}
