// What takes too long, or too much breaking, to show in the journey. Candado's part is played by a few lines.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, mock, test } from "node:test";
import { createApp } from "../app.mjs";
import { Candado, CandadoError } from "../candado.mjs";
import { Store } from "../store.mjs";

const ORIGIN = "https://meadow.example";
const on = { mfa_enabled: true, methods: ["totp", "email"], recovery_codes_remaining: 10, locked_until: null };
const off = { mfa_enabled: false, methods: [], recovery_codes_remaining: 0, locked_until: null };
const ann = { name: "Ann", email: "ann@example.com", password: "four quiet green meadows" };

let app, candado, cookie;

beforeEach((t) => {
  const folder = mkdtempSync(join(tmpdir(), "login-app-"));
  const store = new Store(join(folder, "users.db"));
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
    throw new CandadoError(503, { error: "unreachable" });
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
  for (const path of ["/", "/security", "/security/phone", "/security/off", "/app", "/app/qr", "/recovery-codes", "/confirm"]) {
    assert.equal((await send(path)).to, "/login/code", path);
  }
  for (const path of ["/app/start", "/app/confirm", "/recovery-codes", "/security/off", "/security/email/remove", "/confirm"]) {
    assert.equal((await send(path, {})).to, "/login/code", `POST ${path}`);
  }
});

test("a method that is not set up, or an address that is not confirmed, is not used", async () => {
  await signUp();
  await send("/logout", {});
  candado.status = async () => on;
  candado.verify = candado.send = candado.recover = () => assert.fail("Candado was asked");
  await login();
  for (const by of ["sms", "email", "generated", "recovery", ""]) {
    assert.equal((await send("/login/code", { by, code: "123456" })).to, "/login/code", by);
  }
  assert.equal((await send("/login/code/send", { by: "email" })).to, "/login/code");
  assert.equal((await send("/login/lost", { by: "email" })).to, "/login/lost");
});

test("only the code of a recovery message recovers", async () => {
  await signUp();
  await send("/logout", {});
  candado.status = async () => on;
  await login();
  candado.verify = async () => ({ method: "totp" });
  assert.equal((await send("/login/lost/code", { code: "12345678" })).status, 422);
  assert.equal((await send("/app")).to, "/login/code");
});

test("a change asks for a code again when the last one was given ten minutes ago", async (t) => {
  await signUp();
  await send("/logout", {});
  candado.status = async () => on;
  await login();
  assert.equal((await send("/login/code", { by: "totp", code: "123456" })).to, "/");
  assert.equal((await send("/security/phone")).status, 200);

  mock.timers.enable({ apis: ["Date"], now: Date.now() + 601_000 });
  t.after(() => mock.timers.reset());
  assert.equal((await send("/app/start", {})).to, "/confirm");
  assert.equal((await send("/recovery-codes", {})).to, "/confirm");
  assert.equal((await send("/security/phone")).to, "/confirm");
  assert.equal((await send("/confirm", { by: "totp", code: "123456" })).to, "/security/phone");
  assert.equal((await send("/security/phone")).status, 200);
});

test("five wrong passwords make the address wait, and say for how long", async () => {
  await signUp();
  await send("/logout", {});
  for (let count = 0; count < 5; count++) assert.equal((await login("not her password")).status, 401);
  const answer = await login();
  assert.equal(answer.status, 429);
  assert.match(await answer.text(), /try again in <strong role="timer" data-seconds="30">/);
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

test("an access token is shared, and renewed once when it is no longer taken", async (t) => {
  const asked = [];
  t.mock.method(globalThis, "fetch", async (url, { headers }) => {
    const { pathname } = new URL(url);
    asked.push(`${pathname} ${headers.Authorization ?? ""}`.trim());
    if (pathname === "/auth") return Response.json({ access_token: `t${asked.length}`, expires_in: 3600 });
    return headers.Authorization === "Bearer t1" ? Response.json({ error: "invalid_token" }, { status: 401 }) : Response.json(off);
  });
  const client = new Candado({ url: "https://candado.example/", clientId: "a", clientSecret: "b" });
  assert.deepEqual(await client.status("u"), off);
  await Promise.all([client.status("u"), client.status("u")]);
  assert.deepEqual(asked, ["/auth", "/mfa/status Bearer t1", "/auth", "/mfa/status Bearer t3", "/mfa/status Bearer t3", "/mfa/status Bearer t3"]);
});
