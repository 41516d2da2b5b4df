// The application without a screen of its own for the second step. Candado's part is played by a few lines.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { CodeRefused } from "candado";
import { createApp } from "../app.mjs";
import { Store } from "../store.mjs";

const ORIGIN = "https://meadow.example";
const PAGE = "https://mfa.example.com/session#s.t";
const ann = { name: "Ann", email: "ann@example.com", password: "four quiet green meadows" };

let app, candado, cookie, store, begun, result;

beforeEach((t) => {
  const folder = mkdtempSync(join(tmpdir(), "login-app-"));
  store = new Store(join(folder, "users.db"));
  candado = {
    status: async () => ({ mfaEnabled: true }),
    createSession: async (userId, options) => {
      begun = { userId, ...options };
      return { url: PAGE };
    },
    getSessionResult: async () => result,
  };
  app = createApp({ store, candado, appUrl: ORIGIN, hosted: "https://mfa.example.com" });
  cookie = undefined;
  t.after?.(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
});

async function send(path, form) {
  const headers = { ...(cookie && { Cookie: cookie }), ...(form && { Origin: ORIGIN }) };
  const response = await app.request(ORIGIN + path, { method: form ? "POST" : "GET", body: form && new URLSearchParams(form), headers });
  const set = response.headers.get("set-cookie");
  if (set) cookie = set.split(";")[0];
  return Object.assign(response, { to: response.headers.get("location") });
}

/** Signs up, and comes as far as the page. */
async function atThePage() {
  await send("/signup", ann);
  await send("/logout", {});
  await send("/login", { email: ann.email, password: ann.password });
  assert.equal((await send("/")).to, "/login/code");
  assert.equal((await send("/login/code")).to, PAGE);
  assert.equal(begun.returnUrl, `${ORIGIN}/mfa/done`);
  result = { userId: begun.userId, purpose: "verify", method: "totp" };
  return begun.state;
}

test("a login goes by the page, and its form may be sent on there", async () => {
  const state = await atThePage();
  assert.match((await send("/login")).headers.get("content-security-policy") ?? "", /form-action 'self' https:\/\/mfa\.example\.com/);
  assert.equal((await send(`/mfa/done?code=c&state=${state}`)).to, "/");
  assert.equal((await send("/")).status, 200);
  assert.equal((await send("/security")).to, PAGE);
  assert.equal(begun.purpose, "manage");
});

test("ATK-97: a confirmation of another browser, of another user or for something else lets nobody in", async () => {
  for (const [change, query] of [
    [{}, "state=other"],
    [{}, ""],
    [{ userId: "somebody else" }, "state"],
    [{ purpose: "enrol" }, "state"],
  ]) {
    const state = await atThePage();
    Object.assign(result, change);
    const answer = await send(`/mfa/done?code=c&${query === "state" ? `state=${state}` : query}`);
    assert.ok(answer.status >= 400, query);
    assert.equal((await send("/")).to, "/login/code");
    cookie = undefined;
    store.deleteOtherSessions(begun.userId, "");
  }
});

test("ATK-100: a code that was fetched before lets nobody in, and neither does coming back without one", async () => {
  const state = await atThePage();
  candado.getSessionResult = async () => {
    throw new CodeRefused({ status: 400, code: "code_already_used", message: "This code was already used." });
  };
  assert.ok((await send(`/mfa/done?code=c&state=${state}`)).status >= 400);
  assert.equal((await send("/")).to, "/login/code");
  await send("/login/code");
  assert.equal((await send(`/mfa/done?error=access_denied&state=${begun.state}`)).to, "/");
  assert.equal((await send("/")).to, "/login");
});

test("it is a fifth of the code", () => {
  const lines = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8").split("\n").length;
  const own = ["routes/second-step", "routes/recovery", "routes/authenticator", "routes/destinations", "routes/security", "routes/changes", "pages/second-step", "pages/security", "pages/changes", "qr", "on-screen"];
  const screens = own.reduce((sum, name) => sum + lines(`${name}.mjs`), 0);
  assert.ok(lines("routes/hosted.mjs") * 5 < screens, `${lines("routes/hosted.mjs")} of ${screens}`);
});
