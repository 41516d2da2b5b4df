// What a user of the service is, told once more from API.md and SECURITY.md and as simply as possible: one state, one
// operation at a time. `outcomes(state, operation)` lists everything the operation may answer and leave behind, as
// `[answer, state]`; there is more than one only where the clock may have stood on either side of a boundary.
//
// An operation has its `kind`; `called` and `returned`; `from` and `to`, between which, in milliseconds, the service read
// its clock; and what its kind needs. An answer is text such as "200 totp", "400 invalid_code 3" or "429 locked".

const STEP = 30;
const FREE_TRIES = 5;
const TRIES_PER_CODE = 5;
const COOLDOWN = 60;
const SENDS_PER_DESTINATION = 5;

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
  // The recovery codes that are left.
  recovery: null,
  failures: 0,
  recoveryFailures: 0,
  // When locks end: [earliest, latest] second.
  lock: null,
  recoveryLock: null,
  // A mark in KV may go on refusing after the lock it was set for was lifted. It never allows anything.
  markUntil: 0,
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
    // What could be guessed is gone, and so are the failures at it.
    if (revoke) Object.assign(renewed, { active: { dead: true }, sms: null, generated: null, failures: 0, lock: null });
    return [["200 pending", renewed]];
  },

  disable(state) {
    return [["200", { ...state, off: true, active: null, pending: null, sms: null, generated: null, recovery: null }]];
  },

  remove({ markUntil, sent }) {
    return [["204", { ...nobody, markUntil, sent }]];
  },

  unlock(state) {
    return [["200", { ...state, failures: 0, recoveryFailures: 0, lock: null, recoveryLock: null }]];
  },

  recoveryCodes(state, { codes }) {
    if (!enabled(state)) return [["409 mfa_not_enabled", state]];
    return [["200 10", { ...state, recovery: codes }]];
  },

  generate(state, { code, returned }) {
    if (state.off) return [["409 mfa_not_enabled", state]];
    return [["200", { ...state, generated: { code, tries: 0, settled: returned } }]];
  },

  sms(state, { code, returned, from, to }) {
    if (state.off) return [["409 mfa_not_enabled", state]];
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
  },

  status(state, { from, to }) {
    return lockSides(state.lock, from, to).map((locked) => [statusText(state, locked), state]);
  },

  verify(state, operation) {
    if (operation.code.includes("-")) return verifyRecoveryCode(state, operation);
    const byMark = second(operation.from) < state.markUntil ? [["429 locked", state]] : [];
    return [...verifyNumeric(state, operation), ...byMark];
  },
};

function verifyRecoveryCode(state, { code, from, to }) {
  if (!state.exists) return [["404 user_not_found", state]];
  if (nothingEnrolled(state)) return [["409 mfa_not_enabled", state]];
  return lockSides(state.recoveryLock, from, to).map((locked) => {
    if (locked) return ["429 locked", state];
    if (state.recovery?.includes(code)) {
      const recovery = state.recovery.filter((other) => other !== code);
      return ["200 recovery_code", { ...state, recovery, recoveryFailures: 0, recoveryLock: null }];
    }
    const recoveryFailures = state.recoveryFailures + 1;
    return [wrong(recoveryFailures), { ...state, recoveryFailures, recoveryLock: lockAfter(recoveryFailures, from, to) }];
  });
}

function verifyNumeric(state, operation) {
  if (!state.exists) return [["404 user_not_found", state]];
  if (nothingEnrolled(state)) return [["409 mfa_not_enabled", state]];
  if (!candidates(state) && state.active?.dead) return [["403 factor_disabled", state]];
  return lockSides(state.lock, operation.from, operation.to).flatMap((locked) => {
    if (locked) return [["429 locked", state]];
    const steps = new Set([operation.from, operation.to].map((time) => Math.floor(second(time) / STEP)));
    return [...steps].flatMap((step) => judge(state, operation, step));
  });
}

/** An evaluated guess, the clock being in that step. */
function judge(state, { code, codeOf, from, to, called }, now) {
  const succeeded = { ...state, failures: 0, lock: null };
  let used = false;
  for (const place of ["active", "pending"]) {
    const factor = state[place];
    const step = factor?.secret && [now + 1, now, now - 1].find((step) => codeOf(factor.secret, step) === code);
    if (!step) continue;
    if (step > factor.lastStep) {
      const next = { ...succeeded, active: { ...factor, lastStep: step } };
      // A pending factor is confirmed by it: its elder and the codes under way are gone.
      return [["200 totp", place === "active" ? next : { ...next, pending: null, sms: null, generated: null }]];
    }
    used = true;
  }
  for (const place of ["sms", "generated"]) {
    if (state[place]?.code === code) return [[`200 ${place}`, { ...succeeded, [place]: null }]];
  }
  if (used) return [["400 code_already_used", state]];
  const failures = state.failures + 1;
  const lock = lockAfter(failures, from, to);
  const markUntil = Math.max(state.markUntil, lock?.[1] ?? 0);
  return triesCounted({ ...state, failures, lock, markUntil }, called).map((next) => [wrong(failures), next]);
}

/** A wrong guess is a try at every live code. Whether it is one at a code that was just being stored, is open. */
function triesCounted(state, called) {
  let states = [state];
  for (const place of ["sms", "generated"]) {
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
const wrong = (failures) => `400 invalid_code ${Math.max(0, FREE_TRIES - failures)}`;
const candidates = ({ active, pending, sms, generated }) => [active?.secret, pending, sms, generated].some(Boolean);
const nothingEnrolled = ({ active, pending, sms, generated, recovery }) => ![active, pending, sms, generated, recovery].some(Boolean);

/** Whether a lock may hold, and whether it may be over. */
function lockSides(lock, from, to) {
  if (!lock) return [false];
  return [...(second(from) < lock[1] ? [true] : []), ...(second(to) >= lock[0] ? [false] : [])];
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
