// Against a running service: CANDADO_URL=http://localhost:8787 npm test
import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { generateSecret, generateSync, generateURI } from "otplib";
import { Candado, CandadoError } from "../src/index.js";

const baseUrl = process.env["CANDADO_URL"];
const skip = baseUrl ? false : "CANDADO_URL is not set: nothing was tried against a running service";

describe("against the running service", { skip }, () => {
  const credentials = { baseUrl: baseUrl ?? "", clientId: "app123", clientSecret: "secret123" };
  const mfa = new Candado(credentials);
  const newUser = () => `ts-${randomUUID()}`;
  /** Another number each time: the service counts messages to one number, and to numbers like it. */
  const newPhone = () => `+346${randomInt(10_000_000, 100_000_000)}`;

  type Parameters = { algorithm?: "SHA1" | "SHA256" | "SHA512"; digits?: 6 | 8; period?: 30 | 60 };
  /** The code `ahead` steps from now. The service takes the next one too, so no test waits for a new one. */
  const code = (secret: string, { algorithm = "SHA1", digits = 6, period = 30 }: Parameters = {}, ahead = 0) =>
    generateSync({
      secret,
      digits,
      period,
      algorithm: algorithm.toLowerCase() as "sha1" | "sha256" | "sha512",
      epoch: Math.floor(Date.now() / 1000) + ahead * period,
    });

  it("binds an authenticator app and logs in", async () => {
    const user = newUser();
    assert.equal((await mfa.status(user)).state, "none");
    const { secret, qrCodeUrl, otpauthUrl, state } = await mfa.register(user, { email: "ann@example.com", accountName: "Ann" });
    assert.equal(state, "pending");
    assert.match(otpauthUrl, /^otpauth:\/\/totp\//);
    const picture = await fetch(qrCodeUrl);
    assert.equal(picture.headers.get("Content-Type"), "image/png");

    const first = code(secret);
    assert.deepEqual(await mfa.verify(user, `${first.slice(0, 3)} ${first.slice(3)}`), { ok: true, method: "totp" });
    const again = await mfa.verify(user, first);
    assert.ok(!again.ok && again.reason === "code_already_used" && again.retryAfter! > 0);
    assert.deepEqual(await mfa.verify(user, code(secret, {}, 1)), { ok: true, method: "totp" });

    const wrong = await mfa.verify(user, code(secret, {}, 10));
    assert.ok(!wrong.ok && wrong.reason === "invalid_code" && wrong.attemptsRemaining! > 0);
    assert.deepEqual(await mfa.verify(user, "abc"), { ok: false, reason: "invalid_code" });
    const { mfaEnabled, methods, lastVerifiedAt } = await mfa.status(user);
    assert.deepEqual([mfaEnabled, methods], [true, ["totp", "email"]]);
    assert.ok(Math.abs(lastVerifiedAt! - Date.now() / 1000) < 60);
    await mfa.deleteUser(user);
    assert.equal((await mfa.status(user)).state, "none");
  });

  it("locks a user after too many wrong codes", async () => {
    const user = newUser();
    const { secret } = await mfa.register(user, { confirm: false });
    const wrong = code(secret, {}, 10);
    let result = await mfa.verify(user, wrong);
    for (let tries = 0; tries < 10 && !result.ok && result.reason === "invalid_code"; tries++) {
      result = await mfa.verify(user, wrong);
    }
    assert.ok(!result.ok && result.reason === "locked" && result.retryAfter! > 0);
    await mfa.deleteUser(user);
  });

  it("sends, generates and recovers", async () => {
    const user = newUser();
    const { secret } = await mfa.register(user, { confirm: false, email: `${user}@example.com` });
    assert.match((await mfa.sendEmail(user, { locale: "es" })).destination, /@/);
    await assert.rejects(mfa.sendEmail(user), (error) => error instanceof CandadoError && error.code === "send_limited" && error.retryAfter! > 0);
    await assert.rejects(mfa.sendSms(user), { code: "destination_missing", status: 422 });
    const contact = await mfa.setContact(user, { email: null, phone: newPhone() });
    assert.equal(contact.email, null);
    assert.match(contact.phone!, /^\+34•/);
    assert.ok((await mfa.sendSms(user)).expiresIn > 0);

    const generated = await mfa.generate(user);
    assert.deepEqual(await mfa.verify(user, generated.code, { method: "generated" }), { ok: true, method: "generated" });
    const { recoveryCodes } = await mfa.recoveryCodes(user);
    assert.equal(recoveryCodes.length, 10);
    assert.deepEqual(await mfa.verify(user, recoveryCodes[0]!), { ok: true, method: "recovery_code" });
    assert.equal((await mfa.status(user)).recoveryCodesRemaining, 9);

    const renewed = await mfa.renew(user);
    assert.deepEqual(await mfa.verify(user, code(renewed.secret)), { ok: true, method: "totp" });
    assert.ok(!(await mfa.verify(user, code(secret))).ok, "the former secret is dead");
    await mfa.disable(user);
    assert.equal((await mfa.status(user)).mfaEnabled, false);
    await mfa.deleteUser(user);
  });

  it("imports secrets made by otplib", async () => {
    for (const parameters of [{}, { algorithm: "SHA256", digits: 8, period: 60 }, { algorithm: "SHA512" }] as Parameters[]) {
      const user = newUser();
      const secret = generateSecret();
      await mfa.importFactor(user, { secret, ...parameters });
      assert.deepEqual(await mfa.verify(user, code(secret, parameters)), { ok: true, method: "totp" });
      await assert.rejects(mfa.importFactor(user, { secret }), { code: "already_registered", status: 409 });
      await mfa.deleteUser(user);
    }
    const user = newUser();
    const secret = generateSecret();
    const algorithm = "sha256" as const;
    await mfa.importFactor(user, { otpauthUrl: generateURI({ issuer: "Shop", label: "ann@x.io", secret, digits: 8, algorithm }) });
    assert.deepEqual(await mfa.verify(user, code(secret, { algorithm: "SHA256", digits: 8 })), { ok: true, method: "totp" });
    await assert.rejects(mfa.importFactor(newUser(), { secret: "JBSWY3DP" }), { code: "invalid_request", field: "secret" });
  });

  it("gets a new token when its own is revoked elsewhere", async () => {
    let token = "";
    const own = new Candado({
      ...credentials,
      fetch: async (input, init) => {
        token = new Headers(init?.headers).get("Authorization")?.slice("Bearer ".length) ?? token;
        return fetch(input, init);
      },
    });
    const user = newUser();
    await own.status(user);
    const former = token;
    const body = JSON.stringify({ access_token: former });
    await fetch(new URL("/auth/revoke", baseUrl), { method: "POST", headers: { "Content-Type": "application/json" }, body });
    assert.equal((await own.status(user)).state, "none");
    assert.notEqual(token, former);
    await own.revoke();
  });

  it("refuses wrong credentials", async () => {
    const stranger = new Candado({ ...credentials, clientSecret: "wrong" });
    await assert.rejects(stranger.status("u"), { code: "invalid_client", status: 401, name: "CandadoError" });
  });
});
