// How a login behaves over hours, in less than five seconds: with a test client of Candado's, whose messages are read
// in the place of a phone and whose clock goes on when the test says so.
import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import { beforeEach, test } from "node:test";
import { Candado, CodeRefused, LockedError, RateLimitedError } from "candado";
import { generateSync } from "otplib";

// CANDADO_URL, CANDADO_CLIENT_ID and CANDADO_CLIENT_SECRET, of a client made with "test": true.
const mfa = Candado.fromEnv();

/** The user's phone. Its clock is the test client's, since that is the time the service goes by. */
class Phone {
  readonly number = `+346${randomInt(10_000_000, 100_000_000)}`;
  secret = "";

  async code(ahead = 0): Promise<string> {
    const { now } = await mfa.advanceTestClock(0);
    return generateSync({ secret: this.secret, epoch: now + ahead * 30 });
  }

  /** No code of now, nor of the minute around it. */
  async wrongCode(): Promise<string> {
    const right = await Promise.all([-1, 0, 1].map((ahead) => this.code(ahead)));
    return ["000000", "111111", "222222", "333333"].find((code) => !right.includes(code))!;
  }

  async lastSms(user: string): Promise<string> {
    const messages = await mfa.testMessages({ userId: user });
    return messages.at(-1)!.code!;
  }
}

const pass = (seconds: number) => mfa.advanceTestClock(seconds);
const refused = (code: string) => (error: unknown) => error instanceof CodeRefused && error.code === code;

let user: string;
let phone: Phone;
beforeEach(async () => {
  user = `user-${randomUUID()}`;
  phone = new Phone();
});

async function enrol(): Promise<void> {
  phone.secret = (await mfa.register(user, { phone: phone.number })).secret;
  await mfa.verify(user, await phone.code());
  await pass(30);
}

test("an enrolment that is not finished within ten minutes is none", async () => {
  phone.secret = (await mfa.register(user)).secret;
  await pass(10 * 60);
  await assert.rejects(mfa.verify(user, await phone.code()));
  assert.equal((await mfa.status(user)).mfaEnabled, false);
  await enrol();
  assert.equal((await mfa.status(user)).mfaEnabled, true);
});

test("a code by SMS is good for five minutes, and the next one comes after a minute", async () => {
  await enrol();
  await mfa.sendSms(user);
  await assert.rejects(mfa.sendSms(user), RateLimitedError);
  const first = await phone.lastSms(user);
  await pass(5 * 60);
  await assert.rejects(mfa.verify(user, first), refused("invalid_code"));
  await mfa.sendSms(user);
  const second = await phone.lastSms(user);
  await pass(4 * 60);
  assert.equal((await mfa.verify(user, second)).method, "sms");
});

test("wrong codes lock for an hour at last, and after that hour the right one is good", async () => {
  await enrol();
  let wait = 0;
  for (let guesses = 1; wait < 3600; guesses += 1) {
    assert.ok(guesses <= 11, "locked for an hour by now");
    const error = await mfa.verify(user, await phone.wrongCode()).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof CodeRefused);
    wait = error.retryAfter ?? 0;
    if (wait > 0 && wait < 3600) await pass(wait);
  }
  await pass(wait - 10);
  await assert.rejects(mfa.verify(user, await phone.code()), LockedError);
  await pass(10);
  assert.equal((await mfa.verify(user, await phone.code())).method, "totp");
});

test("whoever lost the phone recovers by a message and binds a new one", async () => {
  await enrol();
  await mfa.recover(user, "sms");
  const code = await phone.lastSms(user);
  phone.secret = (await mfa.renew(user, { code, revokeCurrent: true })).secret;
  assert.equal((await mfa.verify(user, await phone.code())).method, "totp");
});
