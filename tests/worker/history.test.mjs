// Random operations by many workers at once on few users, against the built Worker; then the question whether one user at
// a time could have lived through it (SECURITY.md 4.3). What is asked is in history/run.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorker } from "./harness.mjs";
import { linearizable } from "./history/checker.mjs";
import { nobody, outcomes } from "./history/model.mjs";
import { explainable, liesAreNoticed } from "./history/run.mjs";

let worker;
before(async () => {
  worker = await startWorker();
});
after(() => worker?.close());

test("histories of concurrent operations are those of a user who does one thing at a time", async (t) => {
  const plainest = await explainable(worker, t, { disturb: () => worker.restart() });
  liesAreNoticed(plainest, t);
});

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
