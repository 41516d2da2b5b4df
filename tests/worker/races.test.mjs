// Many requests at once for one user: every limit holds exactly, whoever comes first. Each race is run ROUNDS times.
import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { failure, parallel, sleep, startWorker, success, tally } from "./harness.mjs";

const ROUNDS = 20;
const AT_ONCE = 50;

let worker, shop;
before(async () => {
  worker = await startWorker();
  shop = await worker.newClient({ sms_per_prefix_and_hour: 1000 });
  // The connections are there before the first race.
  await parallel(AT_ONCE, () => shop.status("nobody"));
});
after(() => worker?.close());

/** Runs a race for a new user each round and says what came of all of them together. */
function race(name, run) {
  test(name, async (t) => {
    const replies = [];
    for (let round = 0; round < ROUNDS; round += 1) replies.push(await run(`user-${randomUUID()}`));
    t.diagnostic(`${ROUNDS} x ${replies[0].length}: ${JSON.stringify(tally(replies.flat()))}`);
  });
}

const succeeded = (replies) => replies.filter(({ status }) => status === 200);
const evaluated = (replies) => replies.filter(({ body }) => body.error === "invalid_code");

/** Everyone else got one of these answers. */
function othersGot(replies, ...errors) {
  for (const { status, text, body } of replies) assert.ok(status === 200 || errors.includes(body.error), text);
}

const newPhone = () => `+1202555${String(randomInt(10_000)).padStart(4, "0")}`;

race("ATK-13: of 50 parallel wrong codes at most five are evaluated, and the right one is refused then", async (user) => {
  const app = await shop.newUser(user);
  const replies = await parallel(AT_ONCE, () => shop.verify(user, app.wrongCode()));
  othersGot(replies, "invalid_code", "locked", "rate_limited");
  const counted = evaluated(replies).length;
  assert.ok(counted >= 1 && counted <= 5, `${counted} were evaluated`);
  const recorded = await worker.events({ client_id: shop.id, user_id: user, event: "failed" });
  assert.equal(recorded.length, counted);
  for (let rest = counted; rest < 5; rest += 1) failure(await shop.verify(user, app.wrongCode()), 400, "invalid_code");
  failure(await shop.verify(user, app.code()), 429, "locked");
  return replies;
});

race("ATK-13: a right code among 25 wrong ones is accepted at most once and never after the fifth", async (user) => {
  const app = await shop.newUser(user);
  const place = randomInt(25);
  const replies = await parallel(25, (index) => shop.verify(user, index === place ? app.code() : app.wrongCode()));
  const accepted = succeeded(replies).length;
  assert.ok(accepted <= 1);
  // A success starts the count again: at most four before it and five after it.
  assert.ok(evaluated(replies).length <= (accepted ? 9 : 5), JSON.stringify(tally(replies)));
  return replies;
});

race("ATK-01: of 50 parallel uses of one TOTP code exactly one succeeds", async (user) => {
  const app = await shop.newUser(user);
  const code = app.code();
  const replies = await parallel(AT_ONCE, () => shop.verify(user, code));
  assert.equal(succeeded(replies).length, 1, JSON.stringify(tally(replies)));
  othersGot(replies, "code_already_used", "rate_limited");
  return replies;
});

race("ATK-11: of 20 parallel first codes of a pending factor exactly one confirms it", async (user) => {
  const app = await shop.newUser(user, { confirm: true });
  const code = app.code();
  const replies = await parallel(20, () => shop.verify(user, code));
  assert.equal(succeeded(replies).length, 1, JSON.stringify(tally(replies)));
  assert.equal((await worker.events({ client_id: shop.id, user_id: user, event: "confirmed" })).length, 1);
  return replies;
});

race("ATK-02: of 50 parallel uses of one SMS code exactly one succeeds", async (user) => {
  const phone = newPhone();
  await shop.newUser(user, { phone });
  success(await shop.sms(user));
  const code = worker.codeSentTo(phone);
  const replies = await parallel(AT_ONCE, () => shop.verify(user, code));
  assert.equal(succeeded(replies).length, 1, JSON.stringify(tally(replies)));
  othersGot(replies, "code_already_used", "rate_limited");
  return replies;
});

race("ATK-03: of 50 parallel uses of one recovery code exactly one succeeds", async (user) => {
  await shop.newUser(user);
  const { recovery_codes: codes } = success(await shop.recoveryCodes(user));
  const replies = await parallel(AT_ONCE, () => shop.verify(user, codes[4]));
  assert.equal(succeeded(replies).length, 1, JSON.stringify(tally(replies)));
  assert.ok(evaluated(replies).length <= 5);
  assert.equal(success(await shop.status(user)).recovery_codes_remaining, 9);
  return replies;
});

race("ATK-03: ten recovery codes in parallel are each worth one success", async (user) => {
  await shop.newUser(user);
  let codes = success(await shop.recoveryCodes(user)).recovery_codes;
  const all = [];
  // Who lost too many rounds is told to come again.
  while (codes.length > 0) {
    const replies = await parallel(codes.length, (index) => shop.verify(user, codes[index]));
    othersGot(replies, "rate_limited");
    all.push(...replies);
    codes = codes.filter((_, index) => replies[index].status !== 200);
    assert.equal(success(await shop.status(user)).recovery_codes_remaining, codes.length);
  }
  assert.equal(succeeded(all).length, 10);
  return all;
});

race("ATK-66: 50 parallel requests for an SMS send one message", async (user) => {
  const phone = newPhone();
  await shop.newUser(user, { phone });
  const before = worker.sandbox.messages({ to: phone }).length;
  const replies = await parallel(AT_ONCE, () => shop.sms(user));
  assert.equal(succeeded(replies).length, 1, JSON.stringify(tally(replies)));
  othersGot(replies, "send_limited", "rate_limited");
  assert.equal(worker.sandbox.messages({ to: phone }).length, before + 1);
  return replies;
});

race("ATK-11: of parallel registrations that are active at once exactly one is made", async (user) => {
  const replies = await parallel(20, () => shop.register(user, { confirm: false }));
  assert.equal(succeeded(replies).length, 1, JSON.stringify(tally(replies)));
  othersGot(replies, "already_registered", "rate_limited");
  return replies;
});

race("ATK-38: of parallel sets of recovery codes exactly one is alive", async (user) => {
  await shop.newUser(user);
  const replies = await parallel(8, () => shop.recoveryCodes(user));
  othersGot(replies, "rate_limited");
  let alive = 0;
  for (const { body } of succeeded(replies)) {
    const { status } = await shop.verify(user, body.recovery_codes[0]);
    if (status === 200) alive += 1;
    else await worker.unlock(shop, user);
  }
  assert.equal(alive, 1);
  return replies;
});

race("ATK-12: no code succeeds that was sent after MFA was turned off", async (user) => {
  const app = await shop.newUser(user);
  let off = false;
  const [, ...replies] = await parallel(20, async (index) => {
    await sleep(randomInt(20));
    if (index === 0) {
      // Who lost too many rounds asks again.
      while ((await shop.disable(user)).status !== 200);
      off = true;
      return undefined;
    }
    const late = off;
    const reply = await shop.verify(user, app.codeOf(app.step() + (index % 3) - 1));
    assert.ok(!late || reply.status !== 200, reply.text);
    return reply;
  });
  othersGot(replies, "code_already_used", "mfa_not_enabled", "rate_limited");
  assert.equal(success(await shop.status(user)).mfa_enabled, false);
  failure(await shop.verify(user, app.codeOf(app.step() + 1)), 409, "mfa_not_enabled");
  return replies;
});

test("ATK-109: of fifty messages asked for with one key one is sent, and what changes does so once", async () => {
  const phone = "+34600109109";
  await shop.newUser("once", { phone });
  const keyed = (path, key) => {
    const headers = { "idempotency-key": key };
    return worker.request("POST", path, { token: shop.token, body: { user_id: "once" }, headers });
  };
  const replies = await parallel(50, () => keyed("/mfa/sms", "key-of-one-message"));
  const counts = tally(replies);
  assert.equal(Object.keys(counts).filter((name) => !["200", "409 request_in_progress"].includes(name)).length, 0, JSON.stringify(counts));
  const firsts = replies.filter(({ status, headers }) => status === 200 && !headers.get("idempotent-replayed"));
  assert.equal(firsts.length, 1);
  assert.equal(worker.sandbox.messages({ to: phone }).length, 1);
  const again = await keyed("/mfa/sms", "key-of-one-message");
  assert.deepEqual([again.text, again.headers.get("idempotent-replayed")], [firsts[0].text, "true"]);
  const sets = await parallel(20, () => keyed("/mfa/recovery-codes", "key-of-one-set"));
  const shown = new Set(sets.filter(({ status }) => status === 200).map(({ text }) => text));
  assert.equal(shown.size, 1, JSON.stringify(tally(sets)));
  failure(await keyed("/mfa/generate", "key-of-one-set"), 422, "idempotency_key_reused");
  assert.equal(worker.sandbox.messages({ to: phone }).length, 1);
});
