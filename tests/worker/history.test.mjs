// Random operations by many workers at once on few users, against the built Worker; then the question whether one user at
// a time could have lived through it (SECURITY.md 4.3). What the model says covers I3, I4, I6 and I7; I1, I2, I5 and I8 are
// looked at once more in the record itself.
//
// SEED repeats the choices (not the timing). SOAK_SECONDS runs for that long instead, in parts with new users each.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, test } from "node:test";
import { parallel, sleep, startWorker } from "./harness.mjs";
import { linearizable } from "./history/checker.mjs";
import { nobody, outcomes } from "./history/model.mjs";
import { seeded, Subject } from "./history/workload.mjs";

const WORKERS = 4;
const USERS = 2;
const soak = Number(process.env.SOAK_SECONDS ?? 0);
// Long enough in a soak for locks and cooldowns to end.
const partSeconds = soak ? Math.min(soak, 150) : 25;

let worker, clients;
before(async () => {
  worker = await startWorker();
  // Two applications with users of the same names.
  clients = [await worker.newClient({ sms_per_prefix_and_hour: 1000 }), await worker.newClient({ sms_per_prefix_and_hour: 1000 })];
});
after(() => worker?.close());

test("histories of concurrent operations are those of a user who does one thing at a time", async (t) => {
  const firstSeed = Number(process.env.SEED ?? randomInt(2 ** 31));
  const end = performance.now() + soak * 1000;
  let seed = firstSeed;
  do {
    t.diagnostic(`SEED=${seed}`);
    const subjects = await live(seed);
    const checked = [];
    for (const subject of subjects) checked.push({ subject, configurations: await examine(subject, t) });
    const [{ subject: plainest }] = checked.sort((one, other) => one.configurations - other.configurations);
    const answers = tallyOf(subjects.flatMap(({ history }) => history));
    t.diagnostic(JSON.stringify(answers));
    if (subjects.length * WORKERS * 30 < subjects.flatMap(({ history }) => history).length) {
      for (const kind of EXPECTED) assert.ok(answers[kind] > 0, `no ${kind} among the answers`);
    }
    if (seed === firstSeed) plantedLiesAreNoticed(effective(plainest), t);
    seed += 1;
  } while (performance.now() + partSeconds * 1000 <= end);
});

/** A run of some length without one of these answers has not tried enough. */
const EXPECTED = ["200 totp", "200 generated", "200 recovery_code", "400 invalid_code", "400 code_already_used", "429 locked"];

function tallyOf(history) {
  const groups = Object.groupBy(history, ({ answer }) => answer?.split(" ").slice(0, 2).join(" ") ?? "unknown");
  return Object.fromEntries(Object.entries(groups).map(([answer, list]) => [answer, list.length]));
}

async function live(seed) {
  const random = seeded(seed);
  const subjects = clients.flatMap((client, index) =>
    Array.from({ length: USERS }, (_, user) => {
      const phone = `+1202${555 + index}${String((seed * USERS + user) % 10_000).padStart(4, "0")}`;
      return new Subject(worker, client, `user-${seed}-${user}`, phone);
    }),
  );
  await Promise.all(subjects.map((subject) => subject.choose("register", random)));
  const until = performance.now() + partSeconds * 1000;
  const restart = sleep(partSeconds * 500).then(() => worker.restart());
  await Promise.all(subjects.map((subject) => parallel(WORKERS, () => subject.work(seeded(random(2 ** 30)), until))));
  await Promise.all([restart, ...subjects.flatMap(({ loose }) => loose)]);
  await Promise.all(subjects.map((subject) => subject.choose("status", () => 1)));
  return subjects;
}

/** What lost too many rounds against others surely took no effect. */
const effective = ({ history }) => history.filter(({ answer }) => answer !== "429 rate_limited");

async function examine(subject, t) {
  const { user, client } = subject;
  const certain = effective(subject);
  const began = performance.now();
  const result = linearizable(certain, nobody, outcomes);
  const took = Math.round(performance.now() - began);
  t.diagnostic(`${user} of ${client.id}: ${certain.length} operations, ${result.largest} configurations, checked in ${took} ms`);
  if (!result.ok) assert.fail(story(certain, result));

  codesAreAcceptedOnce(certain);
  failuresAreCountedOneByOne(await record(client, user));
  messagesAreNoMoreThanAnswers(subject);
  return result.largest;
}

/** The end of the history up to the answer that nothing explains, and what the user may have been before it. */
function story(history, { at, states }) {
  const before = history.filter(({ called }) => called <= at.returned).slice(-40);
  const line = ({ id, kind, code, called, returned, answer }) =>
    `${id === at.id ? ">" : " "} ${called.toFixed(1)}-${returned.toFixed(1)} ${kind} ${code ?? ""} ${answer}`;
  const text = states.slice(0, 3).map((state) => JSON.stringify(state));
  return [`nothing explains operation ${at.id}`, ...before.map(line), "states before:", ...text].join("\n");
}

/** I1. */
function codesAreAcceptedOnce(history) {
  const accepted = history.filter(({ kind, answer }) => kind === "verify" && answer?.startsWith("200")).map(({ source }) => source);
  const twice = accepted.filter((source, index) => accepted.indexOf(source) !== index);
  assert.deepEqual(twice, [], "accepted twice");
}

const record = async (client, user) => {
  const rows = await worker.sql("SELECT event, method, detail FROM audit_log WHERE client_id = ? AND user_id = ? ORDER BY id", client.id, user);
  return rows.map(({ event, method, detail }) => ({ event, method, detail: JSON.parse(detail) }));
};

/** I2 and I8, in the order the database took the changes. */
function failuresAreCountedOneByOne(events) {
  const none = { totp: 0, delivered: 0, recovery: 0 };
  const classes = { totp: "totp", sms: "delivered", email: "delivered", recovery: "recovery", recovery_code: "recovery" };
  let failures = { ...none };
  for (const [index, { event, method, detail }] of events.entries()) {
    if (event === "failed") {
      failures[detail.class] += 1;
      assert.equal(detail.failures, failures[detail.class], "a failure was lost or counted twice");
      if (detail.failures >= 5) assert.equal(events[index + 1]?.event, "locked");
    }
    // A code the application asked for itself ends no row of failures, and none ends another class's.
    if (["verified", "confirmed", "recovered"].includes(event) && classes[method]) failures[classes[method]] = 0;
    if (detail.revoke_current) failures.totp = 0;
    if (["unlocked", "deleted"].includes(event)) failures = { ...none };
  }
}

/** I5. */
function messagesAreNoMoreThanAnswers({ history, phone }) {
  const sent = history.filter(({ kind, answer }) => kind === "sms" && (!answer || answer === "200")).length;
  const arrived = worker.sandbox.messages({ to: phone }).length;
  assert.ok(arrived <= sent && arrived <= 5, `${arrived} messages for ${sent} requests`);
}

/**
 * A check that finds nothing wrong in a history with a lie in it finds nothing. A lie may be plausible where much happened at
 * once; of each kind some must be noticed.
 */
function plantedLiesAreNoticed(history, t) {
  const lies = [
    ["400 code_already_used", "200 totp"],
    ["429 locked", "200 totp"],
    ["429 locked", "400 invalid_code 4"],
    ["400 invalid_code 3", "400 invalid_code 2"],
    ["400 invalid_code 4", "200 generated"],
    ["400 code_already_used", "400 invalid_code 4"],
    ["200 totp", "400 invalid_code 4"],
  ];
  for (const [truth, lie] of lies) {
    const liars = history.filter(({ kind, answer }) => kind === "verify" && answer === truth);
    const some = liars.filter((_, index) => index % Math.ceil(liars.length / 5) === 0);
    const noticed = some.filter((liar) => {
      const changed = history.map((operation) => (operation === liar ? { ...operation, answer: lie } : operation));
      return !linearizable(changed, nobody, outcomes).ok;
    });
    t.diagnostic(`${truth} told as ${lie}: ${noticed.length} of ${some.length} noticed`);
    assert.ok(some.length === 0 || noticed.length > 0);
  }
}

const codeOf = (secret, step) => `${secret}${step}`;
const at = (called, returned, kind, answer, input) => ({ called, returned, kind, answer, from: 30_000, to: 30_000, codeOf, ...input });

const generateAt = (called, code) => at(called, called + 1, "generate", "200", { code });
const told = (...operations) => linearizable(operations.map((operation, id) => ({ id, ...operation })), nobody, outcomes).ok;

test("the checker accepts what some order explains and refuses what none does", () => {
  const register = at(0, 1, "register", "200 active", { secret: "s", confirm: false });
  const verify = (called, returned, answer, code = "s1") => at(called, returned, "verify", answer, { code });
  assert.ok(told(register, verify(2, 3, "200 totp")));
  assert.ok(told(register, verify(2, 9, "400 code_already_used"), verify(3, 4, "200 totp")));
  assert.ok(!told(register, verify(2, 3, "400 code_already_used"), verify(4, 5, "200 totp")), "the use comes after");
  assert.ok(!told(register, verify(2, 9, "200 totp"), verify(3, 4, "200 totp")), "one code twice");
  assert.ok(!told(register, verify(2, 3, "200 totp", "s3")), "a step too far ahead");
  assert.ok(!told(register, at(2, 3, "disable", "200"), verify(4, 5, "200 totp")), "after it was turned off");
  assert.ok(told(register, at(2, 9, "disable", "200"), verify(4, 5, "200 totp")), "while it was turned off");

  // Of an operation without an answer either may be true.
  const unknown = at(2, Infinity, "verify", undefined, { code: "s1" });
  assert.ok(told(register, unknown, verify(4, 5, "200 totp")));
  assert.ok(told(register, unknown, verify(4, 5, "400 code_already_used")));
  assert.ok(!told(register, unknown, verify(4, 5, "400 invalid_code 4")));
  const ended = { ...unknown, returned: 3 };
  assert.ok(told(register, ended, verify(4, 5, "200 totp"), verify(6, 7, "400 code_already_used")));
  assert.ok(told(register, ended, verify(4, 5, "400 code_already_used")));
  assert.ok(!told(register, unknown, verify(4, 5, "200 totp"), { ...unknown, called: 6 }, verify(7, 8, "200 totp")));

  const wrong = (called, left, returned = called + 1) => verify(called, returned, `400 invalid_code ${left}`, "000000");
  const five = [4, 3, 2, 1, 0].map((left, index) => wrong(2 + 2 * index, left));
  assert.ok(told(register, ...five, verify(20, 21, "429 locked")));
  assert.ok(!told(register, ...five, verify(20, 21, "200 totp")), "a lock that does not hold");
  assert.ok(!told(register, ...five, wrong(20, 0)), "a sixth guess is evaluated");
  assert.ok(!told(register, wrong(2, 4), wrong(4, 4)), "a failure is lost");
  assert.ok(told(register, wrong(2, 3, 9), wrong(3, 4, 8)), "either came first");

  // What the audit found: a code the application asked for itself, used between guesses, starts no count again.
  const rightOf = (code) => [generateAt(20, code), verify(22, 23, "200 generated", code)];
  const audited = (left) => told(register, ...five.slice(0, 4), ...rightOf("999999"), wrong(30, left));
  assert.ok(audited(0), "the fifth");
  assert.ok(!audited(4), "as if the first four had not been");
  assert.ok(told(register, ...five, generateAt(20, "999999"), verify(22, 23, "200 generated", "999999")), "the app is locked, what was sent is not");
  assert.ok(told(register, ...rightOf("999999"), verify(30, 31, "400 code_already_used", "999999"), wrong(32, 4)), "typed twice");
  assert.ok(!told(register, ...rightOf("999999"), verify(30, 31, "400 invalid_code 4", "999999")), "typed twice, and counted");
  const named = (called, answer, code, method) => at(called, called + 1, "verify", answer, { code, method });
  assert.ok(told(register, named(2, "400 invalid_code 4", "000000", "sms"), named(4, "400 invalid_code 4", "000000", "totp")), "counted apart");
  assert.ok(!told(register, named(2, "400 invalid_code 4", "000000", "sms"), named(4, "400 invalid_code 3", "000000", "totp")));

  assert.ok(told(register, generateAt(2, "111111"), generateAt(4, "222222"), verify(6, 7, "200 generated", "222222")));
  assert.ok(!told(register, generateAt(2, "111111"), generateAt(4, "222222"), verify(6, 7, "200 generated", "111111")), "two live codes");
  const codes = at(2, 3, "recoveryCodes", "200 10", { codes: ["a-1", "b-2"] });
  const status = (answer) => at(8, 9, "status", answer);
  // Before there are recovery codes a guess at them is none; after, it is counted. Both are told in the same words.
  const early = verify(2, 20, "400 invalid_code 4", "c-3");
  const late = (answer) => verify(22, 23, answer, "d-4");
  const madeBetween = (answer) => told(register, wrong(1.5, 4, 1.8), early, { ...codes, called: 4, returned: 8 }, late(answer));
  assert.ok(madeBetween("400 invalid_code 3"), "counted after all");
  assert.ok(madeBetween("400 invalid_code 4"), "too early to be counted");
  assert.ok(!madeBetween("400 invalid_code 2"));
  assert.ok(told(register, codes, verify(4, 5, "200 recovery_code", "a-1"), status("200 true active 1 free")));
  assert.ok(!told(register, codes, verify(4, 5, "200 recovery_code", "a-1"), status("200 true active 2 free")), "a code that comes back");
});
