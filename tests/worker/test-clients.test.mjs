// A test client under workerd, where KV keeps marks of locks by its own clock.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { failure, startWorker, success } from "./harness.mjs";

let worker;
before(async () => {
  worker = await startWorker();
});
after(() => worker?.close());

/** A test client: its token, and requests in its name. */
async function newTester(name) {
  const { client_id: id, client_secret: secret } = success(await worker.admin("POST", "/clients", { name, test: true }), 201);
  const auth = await worker.request("POST", "/auth", { body: { client_id: id, client_secret: secret } });
  const { access_token: token } = success(auth);
  const post = (path, body) => worker.request("POST", path, { token, body });
  const advance = async (seconds) => success(await post("/mfa/test/clock", { advance_seconds: seconds })).now;
  const messages = async () => success(await worker.request("GET", "/mfa/test/messages", { token })).messages;
  return { id, post, advance, messages };
}

test("ATK-108: an hour of lock passes in a moment, for this client and no other, and nothing is sent", async () => {
  const began = Date.now();
  const tester = await newTester("Shop, in tests");
  const other = await newTester("Bank, in tests");
  const user = { user_id: "ann" };
  success(await tester.post("/mfa/register", { ...user, phone: "+34600108108", confirm: false }));
  let lock = 0;
  for (let guesses = 1; lock < 3600; guesses += 1) {
    assert.ok(guesses <= 11);
    // No code can be 000000 within the hour that is tried here, but for one chance in ten thousand.
    const wrong = failure(await tester.post("/mfa/verify", { ...user, code: "000000", method: "totp" }), 400, "invalid_code");
    lock = wrong.retry_after ?? 0;
    if (lock > 0 && lock < 3600) await tester.advance(lock);
  }
  failure(await tester.post("/mfa/verify", { ...user, code: "000000", method: "totp" }), 429, "locked");
  await tester.advance(3600);
  failure(await tester.post("/mfa/verify", { ...user, code: "000000", method: "totp" }), 400, "invalid_code");
  success(await tester.post("/mfa/sms", user));
  const [{ code, to }] = await tester.messages();
  assert.equal(to, "+34600108108");
  success(await tester.post("/mfa/verify", { ...user, code }));
  assert.deepEqual(worker.sandbox.messages({ to }), []);
  assert.deepEqual(await other.messages(), []);
  const { now } = success(await other.post("/mfa/test/clock", { advance_seconds: 0 }));
  assert.ok(Math.abs(now - Date.now() / 1000) < 5);
  const real = await worker.newClient();
  failure(await real.post("/mfa/test/clock", { advance_seconds: 60 }), 404, "not_found");
  assert.ok(Date.now() - began < 5000, "a suite that waits an hour takes seconds");
});
