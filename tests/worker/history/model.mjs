// What a user of the service is, told once more from the contract and the requirements and as simply as possible: one state,
// one operation at a time. `outcomes(state, operation)` lists everything the operation may answer and leave behind, as
// `[answer, state]`; there is more than one only where the clock may have stood on either side of a boundary.
//
// An operation has its `kind`; `called` and `returned`; `from` and `to`, between which, in milliseconds, the service read
// its clock; and what its kind needs. An answer is text such as "200 totp", "400 invalid_code 3" or "429 locked".

const STEP = 30;
const FREE_TRIES = 5;
const TRIES_PER_DAY = 50;
const TRIES_PER_CODE = 5;
const COOLDOWN = 60;
const SENDS_PER_DESTINATION = 5;
const SPENT_REMEMBERED = 10;
const CLASSES = ["totp", "delivered", "recovery"];
const DELIVERED = ["generated", "sms"];

/** Failures in a row; all of them, none of a run being a day old; when the lock ends: [earliest, latest] second. */
const fresh = Object.freeze({ failures: 0, today: 0, lock: null });
const countersOf = (make) => Object.fromEntries(CLASSES.map((name) => [name, make(name)]));

/** Nobody was registered under this name. */
export const nobody = Object.freeze({
  exists: false,
  off: false,
  // The factor that counts: {secret, lastStep}, or {dead} once it was revoked; and the one that waits for its first code.
  active: null,
  pending: null,
  // Live delivered codes: {code, tries, settled}, settled being when it was surely stored.
  sms: null,
  generated: null,
  // Delivered codes that were used: {place, code}, the latest last.
  spent: [],
  // The recovery codes that are left, and those that were used.
  recovery: null,
  used: [],
  counters: Object.freeze(countersOf(() => fresh)),
  // A mark in KV may go on refusing after the lock it was set for was lifted. It never allows anything.
  marks: Object.freeze(countersOf(() => 0)),
  sends: [],
  sent: 0,
});

export function outcomes(state, operation) {
  const run = operations[operation.kind];
  if (state.exists || ["register", "status", "verify"].includes(operation.kind)) return run(state, operation);
  return [["404 user_not_found", state]];
}

const operations = {
  register(state, { secret, confirm }) {
    if (enabled(state)) return [["409 already_registered", state]];
    const factor = { secret, lastStep: 0 };
    const next = { ...state, exists: true, off: false, active: confirm ? null : factor, pending: confirm ? factor : null };
    return [[`200 ${confirm ? "pending" : "active"}`, next]];
  },

  renew(state, { secret, revoke }) {
    if (!enabled(state)) return [["409 mfa_not_enabled", state]];
    const renewed = { ...state, pending: { secret, lastStep: 0 } };
    // What could be guessed is gone, and so is the row of failures at it. What was counted today is not.
    if (revoke) Object.assign(renewed, { active: { dead: true }, sms: null, generated: null, counters: rowEnded(state.counters, "totp") });
    return [["200 pending", renewed]];
  },

  disable(state) {
    const nothing = { active: null, pending: null, sms: null, generated: null, spent: [], recovery: null, used: [] };
    return [["200", { ...state, off: true, ...nothing }]];
  },

  remove({ marks, sent }) {
    return [["204", { ...nobody, marks, sent }]];
  },

  unlock(state) {
    return [["200", { ...state, counters: nobody.counters }]];
  },

  recoveryCodes(state, { codes }) {
    if (!enabled(state)) return [["409 mfa_not_enabled", state]];
    return [["200 10", { ...state, recovery: codes, used: [] }]];
  },

  generate(state, { code, returned, from, to }) {
    if (state.off) return [["409 mfa_not_enabled", state]];
    return lockSides(state.counters.delivered, from, to).map((locked) => {
      if (locked) return ["429 locked", state];
      return ["200", { ...state, generated: { code, tries: 0, settled: returned } }];
    });
  },

  sms(state, { code, returned, from, to }) {
    if (state.off) return [["409 mfa_not_enabled", state]];
    return lockSides(state.counters.delivered, from, to).flatMap((locked) => {
      if (locked) return [["429 locked", state]];
      const now = [second(from), second(to)];
      const last = state.sends.at(-1);
      const wait = COOLDOWN * 2 ** (state.sends.length - 1);
      const sides = [];
      if ((last && now[0] < last[1] + wait) || state.sent >= SENDS_PER_DESTINATION) sides.push(["429 send_limited", state]);
      if ((!last || now[1] >= last[0] + wait) && state.sent < SENDS_PER_DESTINATION) {
        const sms = { code, tries: 0, settled: returned };
        sides.push(["200", { ...state, sms, sends: [...state.sends, now], sent: state.sent + 1 }]);
      }
      return sides;
    });
  },

  status(state, { from, to }) {
    const counter = enabled(state) ? state.counters.totp : state.counters.delivered;
    return lockSides(counter, from, to).map((locked) => [statusText(state, locked), state]);
  },

  verify(state, operation) {
    const { from, to } = operation;
    const possible = possibleClasses(operation);
    const byMark = possible.every((name) => second(from) < state.marks[name]) ? [["429 locked", state]] : [];
    if (!state.exists) return [["404 user_not_found", state], ...byMark];
    if (nothingEnrolled(state)) return [["409 mfa_not_enabled", state], ...byMark];
    const steps = new Set([from, to].map((time) => Math.floor(second(time) / STEP)));
    const judged = everyLockSide(state.counters, from, to).flatMap((locked) => [...steps].flatMap((step) => judge(state, operation, locked, step)));
    return [...judged, ...byMark];
  },
};

const isRecoveryCode = ({ code }) => code.includes("-");
const classOf = (method) => ({ totp: "totp", recovery_code: "recovery" })[method] ?? "delivered";
const accepts = ({ method }, other) => !method || method === other;

/** The classes a guess of that form can be counted in. */
function possibleClasses(operation) {
  if (operation.method) return [classOf(operation.method)];
  return isRecoveryCode(operation) ? ["recovery"] : ["totp", "delivered"];
}

/** The classes in which there is something to prove; with `ofForm`, by a code of the guess's form. */
function classesOf(state, operation, ofForm) {
  const form = isRecoveryCode(operation) ? "recovery" : "numeric";
  const may = (which) => !ofForm || which === form;
  const has = {
    totp: may("numeric") && accepts(operation, "totp") && Boolean(state.active?.secret || state.pending),
    delivered: may("numeric") && DELIVERED.some((place) => accepts(operation, place) && state[place]),
    recovery: may("recovery") && accepts(operation, "recovery_code") && Boolean(state.recovery?.length),
  };
  return CLASSES.filter((name) => has[name]);
}

/** What one guess comes to, the clock being in that step and the locks being as they are. */
function judge(state, operation, locked, step) {
  if (wasUsed(state, operation, locked)) return [["400 code_already_used", state]];
  const fitting = classesOf(state, operation, true);
  const any = classesOf(state, operation, false);
  if (!isRecoveryCode(operation) && !fitting.length && state.active?.dead && accepts(operation, "totp")) return [["403 factor_disabled", state]];
  const concerned = operation.method ? [classOf(operation.method)] : fitting;
  const asked = concerned.length ? concerned : any;
  if (asked.length && asked.every((name) => locked[name])) return [["429 locked", state]];
  const open = (names) => names.filter((name) => !locked[name]);
  if (!concerned.length) return [[invalid(open(any).map((name) => triesLeft(state.counters[name]))), state]];
  return compare(state, operation, open(concerned), step);
}

function wasUsed(state, operation, locked) {
  if (isRecoveryCode(operation)) return accepts(operation, "recovery_code") && !locked.recovery && state.used.includes(operation.code);
  return !locked.delivered && state.spent.some(({ place, code }) => accepts(operation, place) && code === operation.code);
}

function compare(state, operation, open, now) {
  const { code, codeOf } = operation;
  if (isRecoveryCode(operation)) {
    const right = open.includes("recovery") && accepts(operation, "recovery_code") && state.recovery?.includes(code);
    if (!right) return refuse(state, operation, open);
    const recovery = state.recovery.filter((other) => other !== code);
    return [["200 recovery_code", { ...state, recovery, used: [...state.used, code], counters: rowEnded(state.counters, "recovery") }]];
  }
  let right;
  for (const place of open.includes("totp") && accepts(operation, "totp") ? ["active", "pending"] : []) {
    const factor = state[place];
    const step = factor?.secret && [now + 1, now, now - 1].find((step) => codeOf(factor.secret, step) === code);
    if (!step) continue;
    // A code of a step that is used up is told before anything else it might be.
    if (step <= factor.lastStep) return [["400 code_already_used", state]];
    right ??= { place, factor, step };
  }
  // What proves less comes first.
  for (const place of open.includes("delivered") ? DELIVERED : []) {
    if (!accepts(operation, place) || state[place]?.code !== code) continue;
    const counters = place === "generated" ? state.counters : rowEnded(state.counters, "delivered");
    const spent = [...state.spent, { place, code }].slice(-SPENT_REMEMBERED);
    return [[`200 ${place}`, { ...state, [place]: null, spent, counters }]];
  }
  if (!right) return refuse(state, operation, open);
  const next = { ...state, active: { ...right.factor, lastStep: right.step }, counters: rowEnded(state.counters, "totp") };
  // A pending factor is confirmed by it: its elder and the codes under way are gone.
  return [["200 totp", right.place === "active" ? next : { ...next, pending: null, sms: null, generated: null }]];
}

/** A wrong guess, counted once in each class it concerned. */
function refuse(state, operation, open) {
  const { from, to, called } = operation;
  const counters = { ...state.counters };
  const marks = { ...state.marks };
  for (const name of open) {
    const failures = counters[name].failures + 1;
    counters[name] = { failures, today: counters[name].today + 1, lock: lockAfter(failures, from, to) };
  }
  const locks = open.some((name) => counters[name].lock || spentToday(counters[name]));
  // The mark says of every class whether it is locked.
  for (const name of locks ? CLASSES : []) marks[name] = Math.max(marks[name], spentToday(counters[name]) ? Infinity : counters[name].lock?.[1] ?? 0);
  const left = open.map((name) => (counters[name].lock || spentToday(counters[name]) ? 0 : triesLeft(counters[name])));
  const next = { ...state, counters, marks };
  // A guess in the form of a recovery code is compared with none of them, whatever it is said to be.
  const tried = open.includes("delivered") && !isRecoveryCode(operation) ? DELIVERED.filter((place) => accepts(operation, place)) : [];
  return triesCounted(next, tried, called).map((next) => [invalid(left), next]);
}

/** A wrong guess is a try at every live code it was compared with. Whether at one that was just being stored, is open. */
function triesCounted(state, places, called) {
  let states = [state];
  for (const place of places) {
    const live = state[place];
    if (!live) continue;
    const tries = live.tries + 1;
    const counted = states.map((state) => ({ ...state, [place]: tries < TRIES_PER_CODE ? { ...live, tries } : null }));
    states = called < live.settled ? [...states, ...counted] : counted;
  }
  return states;
}

const second = (milliseconds) => Math.floor(milliseconds / 1000);
const enabled = ({ active }) => active !== null;
const invalid = (left) => (left.length ? `400 invalid_code ${Math.min(...left)}` : "400 invalid_code");
const nothingEnrolled = ({ active, pending, sms, generated, spent, recovery }) =>
  ![active, pending, sms, generated, recovery].some(Boolean) && spent.length === 0;
const spentToday = ({ today }) => today >= TRIES_PER_DAY;
/** Of a class that is not locked. */
const triesLeft = ({ failures, today }) => Math.min(Math.max(1, FREE_TRIES - failures), TRIES_PER_DAY - today);
const rowEnded = (counters, name) => ({ ...counters, [name]: { ...counters[name], failures: 0, lock: null } });

/** Whether a lock may hold, and whether it may be over. */
function lockSides(counter, from, to) {
  if (spentToday(counter)) return [true];
  const { lock } = counter;
  if (!lock) return [false];
  return [...(second(from) < lock[1] ? [true] : []), ...(second(to) >= lock[0] ? [false] : [])];
}

/** Every combination of what the locks may be. */
function everyLockSide(counters, from, to) {
  return CLASSES.reduce(
    (sides, name) => sides.flatMap((side) => lockSides(counters[name], from, to).map((locked) => ({ ...side, [name]: locked }))),
    [{}],
  );
}

function lockAfter(failures, from, to) {
  if (failures < FREE_TRIES) return null;
  const delay = Math.min(3600, 60 * 2 ** (failures - FREE_TRIES));
  return [second(from) + delay, second(to) + delay];
}

function statusText(state, locked) {
  const { active, pending, off, recovery } = state;
  const name = active?.secret ? "active" : active ? "disabled" : pending ? "pending" : off ? "disabled" : "none";
  return `200 ${enabled(state)} ${name} ${recovery?.length ?? 0} ${locked ? "locked" : "free"}`;
}
