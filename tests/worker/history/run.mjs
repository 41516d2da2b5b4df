// Random operations by many workers at once on few users, while something is done to the service; then the question whether
// one user at a time could have lived through it. What the model says covers I3, I4, I6 and I7 (SECURITY.md 4.3); I1, I2, I5
// and I8 are looked at once more in the record itself.
//
// SEED repeats the choices (not the timing). SOAK_SECONDS runs for that long instead, in parts with new users each.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { parallel, sleep } from "../service.mjs";
import { linearizable } from "./checker.mjs";
import { nobody, outcomes } from "./model.mjs";
import { seeded, Subject } from "./workload.mjs";

const WORKERS = 4;
const USERS = 2;
const soak = Number(process.env.SOAK_SECONDS ?? 0);
// Long enough in a soak for locks and cooldowns to end.
const partOfSoak = 150;

/**
 * Runs the operations against `service` for so many seconds, with `disturb` in the middle of each part, and fails unless some order explains what
 * came of them. Answers the history of one user.
 */
export async function explainable(service, t, { disturb, seconds = 25 }) {
  const partSeconds = soak ? Math.min(soak, partOfSoak) : seconds;
  // Two applications with users of the same names.
  const settings = { sms_per_prefix_and_hour: 1000 };
  const clients = [await service.newClient(settings), await service.newClient(settings)];
  const firstSeed = Number(process.env.SEED ?? randomInt(2 ** 31));
  const end = performance.now() + soak * 1000;
  let seed = firstSeed;
  let plainest;
  do {
    t.diagnostic(`SEED=${seed}`);
    const subjects = await live(service, clients, { seed, disturb, partSeconds });
    const checked = [];
    for (const subject of subjects) checked.push({ subject, configurations: await examine(subject, t) });
    const answers = tallyOf(subjects.flatMap(({ history }) => history));
    t.diagnostic(JSON.stringify(answers));
    if (subjects.length * WORKERS * 30 < subjects.flatMap(({ history }) => history).length) {
      for (const kind of EXPECTED) assert.ok(answers[kind] > 0, `no ${kind} among the answers`);
    }
    plainest ??= checked.sort((one, other) => one.configurations - other.configurations)[0].subject;
    seed += 1;
  } while (performance.now() + partSeconds * 1000 <= end);
  return effective(plainest);
}

/** A run of some length without one of these answers has not tried enough. */
const EXPECTED = ["200 totp", "200 generated", "200 recovery_code", "400 invalid_code", "400 code_already_used", "429 locked"];

function tallyOf(history) {
  const groups = Object.groupBy(history, ({ answer }) => answer?.split(" ").slice(0, 2).join(" ") ?? "unknown");
  return Object.fromEntries(Object.entries(groups).map(([answer, list]) => [answer, list.length]));
}

async function live(service, clients, { seed, disturb, partSeconds }) {
  const random = seeded(seed);
  const subjects = clients.flatMap((client, index) =>
    Array.from({ length: USERS }, (_, user) => {
      const phone = `+1202${555 + index}${String((seed * USERS + user) % 10_000).padStart(4, "0")}`;
      return new Subject(service, client, `user-${seed}-${user}`, phone);
    }),
  );
  await Promise.all(subjects.map((subject) => subject.choose("register", random)));
  const until = performance.now() + partSeconds * 1000;
  const disturbed = sleep(partSeconds * 500).then(disturb);
  await Promise.all(subjects.map((subject) => parallel(WORKERS, () => subject.work(seeded(random(2 ** 30)), until))));
  await Promise.all([disturbed, ...subjects.flatMap(({ loose }) => loose)]);
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
  // Connections that the service closed while nobody looked are noticed now, and not used again.
  await sleep(50);

  codesAreAcceptedOnce(certain);
  failuresAreCountedOneByOne(await subject.service.events({ client_id: client.id, user_id: user }));
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

/** I2 and I8, in the order the database took the changes. */
function failuresAreCountedOneByOne(events) {
  const none = { totp: 0, delivered: 0, recovery: 0 };
  const classes = { totp: "totp", sms: "delivered", email: "delivered", recovery: "recovery", recovery_code: "recovery" };
  let failures = { ...none };
  for (const { event, method, detail, request_id: request } of events) {
    if (event === "failed") {
      failures[detail.class] += 1;
      assert.equal(detail.failures, failures[detail.class], "a failure was lost or counted twice");
      // Another request's event may have an id between the two.
      const locked = (other) => other.event === "locked" && other.request_id === request && other.detail.class === detail.class;
      if (detail.failures >= 5) assert.ok(events.some(locked), "the fifth failure did not lock");
    }
    // A code the application asked for itself ends no row of failures, and none ends another class's.
    if (["verified", "confirmed", "recovered"].includes(event) && classes[method]) failures[classes[method]] = 0;
    if (detail.revoke_current) failures.totp = 0;
    if (["unlocked", "deleted"].includes(event)) failures = { ...none };
  }
}

/** I5. */
function messagesAreNoMoreThanAnswers({ service, history, phone }) {
  const sent = history.filter(({ kind, answer }) => kind === "sms" && (!answer || answer === "200")).length;
  const arrived = service.sandbox.messages({ to: phone }).length;
  assert.ok(arrived <= sent && arrived <= 5, `${arrived} messages for ${sent} requests`);
}

/**
 * A check that finds nothing wrong in a history with a lie in it finds nothing. A lie may be plausible where much happened at
 * once; of each kind some must be noticed.
 */
export function liesAreNoticed(history, t) {
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
