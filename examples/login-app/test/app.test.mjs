// What takes too long, or too much breaking, to show in the journey. Candado's part is played by a few lines.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, mock, test } from "node:test";
import { CandadoError, CodeRefused, ForbiddenError, RateLimitedError, UnavailableError } from "candado";
import { createApp } from "../app.mjs";
import { Store } from "../store.mjs";

const ORIGIN = "https://meadow.example";
const on = { mfaEnabled: true, methods: ["totp", "email"], recoveryCodesRemaining: 10, lockedUntil: null };
const off = { mfaEnabled: false, methods: [], recoveryCodesRemaining: 0, lockedUntil: null };
const enrolment = () => ({ qrCodeUrl: "https://mfa.example.com/qrcode/u", otpauthUrl: "otpauth://totp/u", secret: "ABCD", expiresAt: Date.now() / 1000 + 600 });
const ann = { name: "Ann", email: "ann@example.com", password: "four quiet green meadows" };

let app, candado, cookie, store;

beforeEach((t) => {
  const folder = mkdtempSync(join(tmpdir(), "login-app-"));
  store = new Store(join(folder, "users.db"));
  candado = { status: async () => off, verify: async () => ({ method: "totp" }) };
  app = createApp({ store, candado, appUrl: ORIGIN });
  cookie = undefined;
  t.after?.(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
});

/** One request of a browser: the session's cookie goes along, and a new one is kept. */
async function send(path, form, headers = {}) {
  const body = form && new URLSearchParams(form);
  const response = await app.request(ORIGIN + path, {
    method: form ? "POST" : "GET",
    body,
    headers: { ...(cookie && { Cookie: cookie }), ...(form && { Origin: ORIGIN }), ...headers },
  });
  const set = response.headers.get("set-cookie");
  if (set) cookie = set.split(";")[0];
  return Object.assign(response, { to: response.headers.get("location"), set });
}

const signUp = () => send("/signup", ann);
const login = (password = ann.password) => send("/login", { email: ann.email, password });

test("nobody gets in while Candado cannot say whether there is a second step", async () => {
  await signUp();
  await send("/logout", {});
  candado.status = async () => {
    throw new UnavailableError({ status: 0, code: "unreachable", message: "The service is out of reach" });
  };
  const answer = await login();
  assert.equal(answer.status, 503);
  assert.equal((await send("/")).to, "/login");
});

test("with the password alone nothing but the second step is open", async () => {
  await signUp();
  await send("/logout", {});
  candado.status = async () => on;
  await login();
  for (const path of ["/", "/security", "/security/phone", "/security/off", "/app", "/app/move", "/app/qr", "/recovery-codes", "/recovery-codes/new"]) {
    assert.equal((await send(path)).to, "/login/code", path);
  }
  for (const path of ["/app/start", "/app/move", "/app/confirm", "/recovery-codes/new", "/security/off", "/security/phone", "/security/email/remove", "/security/code"]) {
    assert.equal((await send(path, {})).to, "/login/code", `POST ${path}`);
  }
});

test("a method that is not set up, or an address that is not confirmed, is not used", async () => {
  await signUp();
  await send("/logout", {});
  candado.status = async () => ({ ...on, recoveryCodesRemaining: 0 });
  candado.verify = candado.sendSms = candado.sendEmail = candado.recover = candado.renew = () => assert.fail("Candado was asked");
  await login();
  for (const by of ["sms", "email", "generated", "recovery", "recovery_code", ""]) {
    assert.equal((await send("/login/code", { by, code: "123456" })).to, "/login/code", by);
  }
  assert.equal((await send("/login/code/send", { by: "email" })).to, "/login/code");
  assert.equal((await send("/login/lost", { by: "email" })).to, "/login/lost");
  assert.equal((await send("/login/lost/code?by=email")).to, "/login/lost");
  assert.equal((await send("/login/lost/code", { by: "constructor", code: "12345678" })).to, "/login/lost");
});

test("after a lost device the code goes straight to the renewal, and is verified nowhere else", async () => {
  await signUp();
  await send("/logout", {});
  candado.status = async () => on;
  await login();
  const asked = [];
  candado.verify = () => assert.fail("the code was spent");
  candado.renew = async (id, options) => (asked.push(options), enrolment());
  for (const [by, code] of [["email", "1234 5678"], ["recovery_code", "7qdp-9t2m-k4xw-3hvn-8rce-5zja"]]) {
    assert.equal((await send("/login/lost/code", { by, code })).to, "/app");
    assert.deepEqual(asked.pop(), { code, revokeCurrent: true });
    assert.match(await (await send("/app")).text(), /Set up your new device/);
    for (const elsewhere of ["/", "/security", "/security/off", "/recovery-codes/new"]) assert.equal((await send(elsewhere)).to, "/app");
    assert.equal((await send("/app/start", {})).to, "/app");
    await send("/logout", {});
    await login();
  }
});

test("codes of the lost app, and those that are too short, bind no other device", async () => {
  await signUp();
  await send("/logout", {});
  candado.status = async () => on;
  candado.renew = () => assert.fail("Candado was asked");
  await login();
  for (const [by, code] of [["email", "123456"], ["email", "1234567"], ["recovery_code", "123456"], ["recovery_code", "7QDP-9T2M"], ["recovery_code", ""]]) {
    const answer = await send("/login/lost/code", { by, code });
    assert.equal(answer.status, 422);
    assert.match(await answer.text(), by === "email" ? /has 8 digits. Please check it/ : /has 24 letters and digits. Please check it/);
  }
  assert.equal((await send("/app")).to, "/login/code");
});

test("who lets the new device's ten minutes pass begins again", async (t) => {
  await signUp();
  await send("/logout", {});
  candado.status = async () => on;
  candado.renew = async () => enrolment();
  await login();
  await send("/login/lost/code", { by: "email", code: "12345678" });
  mock.timers.enable({ apis: ["Date"], now: Date.now() + 601_000 });
  t.after(() => mock.timers.reset());
  assert.equal((await send("/app")).to, "/login/lost");
  assert.match(await (await send("/login/lost")).text(), /Please begin again/);
  assert.equal((await send("/security")).to, "/login/code");
});

test("every change that takes something hands the code on, and makes nothing without one that is good", async () => {
  await signUp();
  candado.status = async () => on;
  candado.factors = async () => ({ factors: [{ type: "totp" }] });
  store.setDestination(store.userByEmail(ann.email).id, "sms", "+34600111222", true);
  candado.verify = () => assert.fail("the code was spent");
  const changes = [
    ["/app/move", {}, "renew", {}, "/app"],
    ["/recovery-codes/new", {}, "recoveryCodes", {}, "/recovery-codes"],
    ["/security/phone", { destination: "+34 600 111 333" }, "setContact", { phone: "+34600111333" }, "/security/phone/confirm"],
    ["/security/phone/remove", {}, "setContact", { phone: null }, "/security"],
    ["/security/off", { password: ann.password }, "disable", {}, "/security"],
  ];
  for (const [path, fields, method, options, to] of changes) {
    candado.sendSms = async () => ({});
    candado[method] = async () => {
      throw new CodeRefused({ status: 400, code: "invalid_code", message: "Invalid code", attemptsRemaining: 3 });
    };
    const answer = await send(path, { ...fields, code: "12345" });
    assert.equal(answer.status, 400, path);
    assert.match(await answer.text(), /That code is not right. You have 3 tries left/);

    const asked = [];
    candado[method] = async (id, options) => (asked.push(options), { ...enrolment(), recoveryCodes: [] });
    assert.equal((await send(path, { ...fields, code: "123 456" })).to, to, path);
    assert.deepEqual(asked[0], { ...options, code: "123 456" });
  }
});

test("where the first recovery codes cannot be had, a page asks for a code for them", async () => {
  await signUp();
  candado.register = async () => enrolment();
  await send("/app/start", {});
  candado.status = async () => on;
  candado.recoveryCodes = async (id, { code } = {}) => {
    if (code) return { recoveryCodes: ["AAAA"] };
    throw new ForbiddenError({ status: 403, code: "step_up_required", message: "A fresh code is required" });
  };
  assert.equal((await send("/app/confirm", { code: "123456" })).to, "/recovery-codes/new");
  assert.match(await (await send("/recovery-codes/new")).text(), /Two-step verification is on/);
  assert.equal((await send("/recovery-codes/new", { code: "654321" })).to, "/recovery-codes");
  assert.match(await (await send("/recovery-codes")).text(), /AAAA/);
});

test("a code for a change is sent to confirmed places only, and leads back to the change", async () => {
  await signUp();
  candado.status = async () => on;
  candado.sendEmail = () => assert.fail("it was sent");
  assert.equal((await send("/security/code", { by: "email", back: "/security/off" })).to, "/security/off");
  store.setDestination(store.userByEmail(ann.email).id, "email", ann.email, true);
  candado.sendEmail = async () => ({ destination: "a•@example.com" });
  assert.equal((await send("/security/code", { by: "email", back: "https://evil.example" })).to, "/security");
  assert.equal((await send("/security/code", { by: "email", back: "/security/off" })).to, "/security/off");
  assert.match(await (await send("/security/off")).text(), /From the message we sent to a•@example.com/);
  candado.sendEmail = async () => {
    throw new RateLimitedError({ status: 429, code: "send_limited", message: "Too many", retryAfter: 42 });
  };
  await send("/security/code", { by: "email", back: "/app/move" });
  const answer = await send("/app/move");
  assert.deepEqual([answer.status, answer.headers.get("retry-after")], [429, "42"]);
  assert.equal((await send("/app/move")).status, 200);
});

test("five wrong passwords make the address wait, and say for how long", async () => {
  await signUp();
  await send("/logout", {});
  for (let count = 0; count < 5; count++) assert.equal((await login("not her password")).status, 401);
  const answer = await login();
  assert.equal(answer.status, 429);
  assert.match(await answer.text(), /try again in <strong role="timer" data-seconds="30">/);
});

const times = (count, run) => Promise.all(Array.from({ length: count }, run));
const having = (answers, wanted) => answers.filter(({ status }) => status === wanted).length;

test("of fifty wrong passwords at the same moment five are looked at", async () => {
  await signUp();
  await send("/logout", {});
  const answers = await times(50, () => login("not her password"));
  assert.deepEqual([having(answers, 401), having(answers, 429)], [5, 45]);
});

test("the page that turns it off does not look at more, and shares their count with the sign-in", async () => {
  await signUp();
  candado.status = async () => on;
  candado.disable = () => assert.fail("it was turned off");
  const answers = await times(50, () => send("/security/off", { password: "not her password", code: "123456" }));
  assert.deepEqual([having(answers, 422), having(answers, 429)], [5, 45]);
  await send("/logout", {});
  assert.equal((await login()).status, 429);
});

test("the right password takes its tries back, and waiting ends the wait", async (t) => {
  await signUp();
  await send("/logout", {});
  for (let rounds = 0; rounds < 3; rounds++) {
    for (let count = 0; count < 4; count++) assert.equal((await login("not her password")).status, 401);
    assert.equal((await login()).to, "/");
    await send("/logout", {});
  }
  for (let count = 0; count < 5; count++) await login("not her password");
  const now = Date.now();
  mock.timers.enable({ apis: ["Date"], now: now + 31_000 });
  t.after(() => mock.timers.reset());
  assert.equal((await login("not her password")).status, 401);
  assert.match(await (await login()).text(), /data-seconds="60"/);
  mock.timers.setTime(now + 100_000);
  assert.equal((await login()).to, "/");
});

test("ten thousand other addresses free none that has to wait, and what is a day old is forgotten", (t) => {
  for (let count = 0; count < 5; count++) assert.equal(store.countPasswordTry(ann.email), 0);
  assert.equal(store.countPasswordTry(ann.email), 30);
  for (let count = 0; count < 10_000; count++) store.countPasswordTry(`somebody${count}@example.com`);
  const now = Date.now();
  mock.timers.enable({ apis: ["Date"], now: now + 31_000 });
  t.after(() => mock.timers.reset());
  store.countPasswordTry(ann.email);
  assert.equal(store.countPasswordTry(ann.email.toUpperCase()), 60);
  mock.timers.setTime(now + 25 * 3_600_000);
  for (let count = 0; count < 5; count++) assert.equal(store.countPasswordTry(ann.email), 0);
});

test("the session changes its id at each stage, and its cookie is for this site over https only", async () => {
  const first = await signUp();
  assert.match(first.set, /^__Host-session=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const stolen = cookie;
  await send("/logout", {});
  cookie = stolen;
  assert.equal((await send("/")).to, "/login");
});

test("forms from elsewhere are refused", async () => {
  await signUp();
  const answer = await send("/logout", {}, { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" });
  assert.equal(answer.status, 403);
  assert.equal((await send("/")).status, 200);
});

test("what Candado refuses is said in a person's words, and what is nobody's business is not", async (t) => {
  await signUp();
  await send("/logout", {});
  store.setDestination(store.userByEmail(ann.email).id, "email", ann.email, true);
  candado.status = async () => on;
  await login();
  const logged = t.mock.method(console, "error", () => {});
  const sending = (status, code, more) => {
    candado.sendEmail = async () => {
      throw new CandadoError({ status, code, message: "for the log", ...more });
    };
    return send("/login/code/send", { by: "email" });
  };
  for (const [status, code, retryAfter, words, wait = null] of [
    [429, "locked", 61, /Too many wrong codes. For your safety you can try again in .*61 seconds/, "61"],
    [429, "send_limited", 300, /You can ask for another one in .*5 minutes/, "300"],
    [403, "factor_disabled", undefined, /Codes sent there were switched off after too many wrong ones/],
    [503, "channel_not_configured", undefined, /Messages cannot be sent that way. Please use another one/],
    [503, "delivery_unavailable", 5, /Messages cannot be sent right now/],
    [502, "delivery_failed", undefined, /could not be delivered/],
  ]) {
    const answer = await sending(status, code, { retryAfter });
    assert.deepEqual([answer.status, answer.headers.get("retry-after")], [status, wait], code);
    assert.match(await answer.text(), words);
  }
  assert.equal(logged.mock.callCount(), 0);
  const answer = await sending(403, "method_not_allowed", { documentationUrl: "https://mfa.example.com/docs/errors#method_not_allowed" });
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /We cannot check your second step right now/);
  assert.match(logged.mock.calls[0].arguments[0], /method_not_allowed: for the log .*docs\/errors#method_not_allowed/);
});
