// Against a running service: CANDADO_URL=http://localhost:8787 npm test
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import jsqr from "jsqr";
import { generateSecret, generateSync, generateURI } from "otplib";
import { PNG } from "pngjs";
import ts from "typescript";
import { Candado, CodeRefused, LockedError, RateLimitedError } from "../src/index.js";
import { readmeProgram } from "./readme.js";

const { CANDADO_URL: baseUrl, CANDADO_STEP_UP_CLIENT_ID: stepUpId, CANDADO_STEP_UP_CLIENT_SECRET: stepUpSecret } = process.env;
const skip = baseUrl ? false : "CANDADO_URL is not set: nothing was tried against a running service";
const skipStepUp = skip || (stepUpId ? false : "CANDADO_STEP_UP_CLIENT_ID is not set: require_step_up was not tried");

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

describe("against the running service", { skip }, () => {
  const credentials = { baseUrl: baseUrl ?? "", clientId: "app123", clientSecret: "secret123" };
  const mfa = new Candado(skip ? { ...credentials, baseUrl: "http://localhost" } : credentials);

  const refusal = async (user: string, code: string): Promise<CodeRefused> => {
    const error = await mfa.verify(user, code).then(() => assert.fail("let in"), (thrown: unknown) => thrown);
    assert.ok(error instanceof CodeRefused);
    return error;
  };

  it("binds an authenticator app and logs in", async () => {
    const user = newUser();
    assert.equal((await mfa.status(user)).state, "none");
    const { secret, qrCodeUrl, otpauthUrl, state } = await mfa.register(user, { email: "ann@example.com", accountName: "Ann" });
    assert.equal(state, "pending");
    assert.match(otpauthUrl, /^otpauth:\/\/totp\//);
    const picture = await fetch(qrCodeUrl);
    assert.equal(picture.headers.get("Content-Type"), "image/png");

    const first = code(secret);
    assert.deepEqual(await mfa.verify(user, `${first.slice(0, 3)} ${first.slice(3)}`), { method: "totp" });
    const again = await refusal(user, first);
    assert.deepEqual([again.code, again.retryAfter! > 0], ["code_already_used", true]);
    assert.deepEqual(await mfa.verify(user, code(secret, {}, 1)), { method: "totp" });

    const wrong = await refusal(user, code(secret, {}, 10));
    assert.equal(wrong.code, "invalid_code");
    assert.match(wrong.documentationUrl!, /\/docs\/errors#invalid_code$/);
    const { mfaEnabled, methods, lastVerifiedAt } = await mfa.status(user);
    assert.deepEqual([mfaEnabled, methods], [true, ["totp", "email"]]);
    assert.ok(Math.abs(lastVerifiedAt! - Date.now() / 1000) < 60);
    await mfa.deleteUser(user);
    assert.equal((await mfa.status(user)).state, "none");
  });

  it("takes a slip of the finger for a wrong code, and does not count what can be none", async () => {
    const user = newUser();
    const { secret } = await mfa.register(user, { confirm: false });
    const { attemptsRemaining: left } = await refusal(user, code(secret, {}, 10));
    for (const slip of ["12345", "", "12 34", "ABCD-EFGH", "٣٤٥٦٧٨", "a code"]) {
      const refused = await refusal(user, slip);
      assert.deepEqual([refused.code, refused.attemptsRemaining], ["invalid_code", left], JSON.stringify(slip));
    }
    const good = code(secret);
    assert.deepEqual(await mfa.verify(user, `${good.slice(0, 3)}-${good.slice(3)} `), { method: "totp" });
    await mfa.deleteUser(user);
  });

  it("locks a user after too many wrong codes", async () => {
    const user = newUser();
    const { secret } = await mfa.register(user, { confirm: false });
    const wrong = code(secret, {}, 10);
    for (let tries = 0; tries < 5; tries++) assert.equal((await refusal(user, wrong)).code, "invalid_code");
    const locked = await refusal(user, wrong);
    assert.ok(locked instanceof LockedError && locked.retryAfter! > 0);
    await mfa.deleteUser(user);
  });

  it("sends, generates and recovers", async () => {
    const user = newUser();
    const { secret } = await mfa.register(user, { confirm: false, email: `${user}@example.com` });
    assert.match((await mfa.sendEmail(user, { locale: "es" })).destination, /@/);
    await assert.rejects(mfa.sendEmail(user), (error) => error instanceof RateLimitedError && error.code === "send_limited" && error.retryAfter! > 0);
    await assert.rejects(mfa.sendSms(user), { name: "DeliveryError", code: "destination_missing", status: 422 });
    const contact = await mfa.setContact(user, { email: null, phone: newPhone() });
    assert.equal(contact.email, null);
    assert.match(contact.phone!, /^\+34•/);
    assert.ok((await mfa.sendSms(user)).expiresIn > 0);

    const generated = await mfa.generateCode(user);
    assert.deepEqual(await mfa.verify(user, generated.code, { method: "generated" }), { method: "generated" });
    const spent = await refusal(user, generated.code);
    assert.deepEqual([spent.code, spent.retryAfter], ["code_already_used", undefined]);
    const { recoveryCodes } = await mfa.recoveryCodes(user);
    assert.equal(recoveryCodes.length, 10);
    assert.deepEqual(await mfa.verify(user, recoveryCodes[0]!), { method: "recovery_code" });
    assert.equal((await mfa.status(user)).recoveryCodesRemaining, 9);

    const renewed = await mfa.renew(user, { code: recoveryCodes[1]!, revokeCurrent: true });
    assert.equal((await refusal(user, code(secret))).code, "invalid_code");
    assert.deepEqual(await mfa.verify(user, code(renewed.secret)), { method: "totp" });
    await mfa.disable(user);
    assert.equal((await mfa.status(user)).mfaEnabled, false);
    await mfa.deleteUser(user);
  });

  it("imports secrets made by otplib", async () => {
    for (const parameters of [{}, { algorithm: "SHA256", digits: 8, period: 60 }, { algorithm: "SHA512" }] as Parameters[]) {
      const user = newUser();
      const secret = generateSecret();
      await mfa.importFactor(user, { secret, ...parameters });
      assert.deepEqual(await mfa.verify(user, code(secret, parameters)), { method: "totp" });
      await assert.rejects(mfa.importFactor(user, { secret }), { name: "ConflictError", code: "already_registered", status: 409 });
      await mfa.deleteUser(user);
    }
    const user = newUser();
    const secret = generateSecret();
    const algorithm = "sha256" as const;
    await mfa.importFactor(user, { otpauthUrl: generateURI({ issuer: "Shop", label: "ann@x.io", secret, digits: 8, algorithm }) });
    assert.deepEqual(await mfa.verify(user, code(secret, { algorithm: "SHA256", digits: 8 })), { method: "totp" });
    await assert.rejects(mfa.importFactor(newUser(), { secret: "JBSWY3DP" }), { name: "InvalidRequestError", code: "invalid_request", field: "secret" });
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
    await own.revokeToken();
  });

  it("refuses wrong credentials", async () => {
    const stranger = new Candado({ ...credentials, clientSecret: "wrong" });
    await assert.rejects(stranger.status("u"), { code: "invalid_client", status: 401, name: "AuthenticationError" });
  });

  it("the README's program does what it says, however often it is run", async () => {
    for (let runs = 0; runs < 2; runs++) {
      const said = await runReadme("right", whatFollows);
      assert.match(said.join("\n"), /MFA is on, proved by totp/);
      const { told, renewed, texts } = JSON.parse(said.at(-1)!) as Record<string, string[]>;
      assert.deepEqual(told, ["That code is not right", null]);
      assert.match(String(renewed), /^http.*\/qrcode\//);
      assert.match(texts![0]!, /^Sent to \+34/);
      assert.match(texts![1]!, /^Wait \d+ seconds$/);
    }
    assert.match((await runReadme("wrong")).at(-1)!, /Nobody gets in with this code: invalid_code$/);
  });
});

/** Calls the functions of the README's other examples. */
const whatFollows = `
  const told = [await secondStep(userId, "12345"), await secondStep(userId, (await mfa.generateCode(userId)).code)];
  const [recoveryCode = ""] = (await mfa.recoveryCodes(userId)).recoveryCodes;
  const renewed = await newDevice(userId, recoveryCode);
  await mfa.setContact(userId, { phone: "+346" + String(Math.random()).slice(2, 10) });
  console.log(JSON.stringify({ told, renewed, texts: [await text(userId), await text(userId)] }));
  await mfa.deleteUser(userId);`;

/** Runs the README's program as a user does, who scans the QR code it names and types a code. */
async function runReadme(codeTyped: "right" | "wrong", more = ""): Promise<string[]> {
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  mkdirSync("build/readme", { recursive: true });
  writeFileSync("build/readme/program.mjs", ts.transpile(readmeProgram() + more, options));
  const env = { ...process.env, CANDADO_CLIENT_ID: "app123", CANDADO_CLIENT_SECRET: "secret123" };
  const program = spawn(process.execPath, ["build/readme/program.mjs"], { env, stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => program.once("close", resolve));
  let output = "";
  let typed = false;
  for await (const data of program.stdout) {
    output += data;
    const qrCodeUrl = output.match(/Scan (\S+)/)?.[1];
    if (typed || !qrCodeUrl || !output.includes("Code: ")) continue;
    typed = true;
    const { width, height, data: pixels } = PNG.sync.read(Buffer.from(await (await fetch(qrCodeUrl)).arrayBuffer()));
    const url = jsqr.default(new Uint8ClampedArray(pixels), width, height)!.data;
    const secret = new URL(url).searchParams.get("secret")!;
    program.stdin.write(`${code(secret, {}, codeTyped === "right" ? 0 : 10)}\n`);
  }
  assert.equal(await ended, 0, output);
  return output.trim().split("\n");
}

describe("a client that requires step-up", { skip: skipStepUp }, () => {
  const mfa = new Candado({ baseUrl: baseUrl ?? "http://localhost", clientId: stepUpId ?? "-", clientSecret: stepUpSecret ?? "-" });
  const enrolled = async () => {
    const user = newUser();
    const { secret } = await mfa.register(user, { email: `${user}@example.com` });
    await mfa.verify(user, code(secret));
    return { user, secret, codes: (await mfa.recoveryCodes(user)).recoveryCodes };
  };

  it("gives the first recovery codes right after the first code, and the next ones for a code", async () => {
    const { user, secret, codes } = await enrolled();
    assert.equal(codes.length, 10);
    await assert.rejects(mfa.recoveryCodes(user), { name: "ForbiddenError", code: "step_up_required" });
    const { recoveryCodes: others } = await mfa.recoveryCodes(user, { code: code(secret, {}, 1) });
    assert.ok(others.every((other) => !codes.includes(other)));
    await assert.rejects(mfa.deleteUser(user), { code: "step_up_required" });
    await mfa.deleteUser(user, { code: others[0]! });
  });

  it("lets a user with a recovery code bind a new device", async () => {
    const { user, codes } = await enrolled();
    await assert.rejects(mfa.renew(user, { code: "12345", revokeCurrent: true }), (error) => error instanceof CodeRefused);
    const { secret } = await mfa.renew(user, { code: codes[0]!, revokeCurrent: true });
    assert.deepEqual(await mfa.verify(user, code(secret), { method: "totp" }), { method: "totp" });
    await mfa.disable(user, { code: codes[1]! });
    await mfa.deleteUser(user);
  });
});
