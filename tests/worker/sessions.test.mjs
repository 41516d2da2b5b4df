// The hosted page's sessions as the built Worker serves them: whose one is, and that its result is good once.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { failure, startWorker, success } from "./harness.mjs";

const returnUrl = "https://shop.example/mfa/done";
let worker, shop;
before(async () => {
  worker = await startWorker();
  shop = await worker.newClient({ return_urls: [returnUrl] });
});
after(() => worker?.close());

/** A browser on the page: it keeps cookies and says where its requests come from. */
class Browser {
  #cookies = new Map();

  constructor(address) {
    [this.session, this.secret] = new URL(address).hash.slice(1).split(".");
  }

  async post(path, body, { origin = worker.variables.PUBLIC_URL } = {}) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { origin, "candado-session": this.session, "idempotency-key": randomUUID(), ...(cookie && { cookie }) };
    const reply = await worker.request("POST", `/session/${path}`, { body, headers });
    for (const line of reply.headers.getSetCookie()) {
      assert.match(line, /^__Host-candado-[^=]+=[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
      const [name, value] = line.split(";")[0].split("=");
      this.#cookies.set(name, value);
    }
    return reply;
  }

  open() {
    return this.post("open", { secret: this.secret });
  }
}

const begin = async (user) => {
  const body = { user_id: user, purpose: "verify", return_url: returnUrl, state: "s-1", nonce: "n-1" };
  return new Browser(success(await shop.post("/mfa/sessions", body), 201).url);
};

test("ATK-97: the browser that opens a session keeps it, and its result says who proved what, once", async () => {
  const app = await shop.newUser("ann");
  const page = await begin("ann");
  assert.equal(success(await page.open()).stage, "verify");
  const other = new Browser(`https://mfa.example.com/session#${page.session}.${page.secret}`);
  failure(await other.open(), 403, "other_browser");
  failure(await page.post("verify", { method: "totp", code: app.code() }, { origin: "https://shop.example" }), 403, "wrong_origin");

  assert.equal(success(await page.post("verify", { method: "totp", code: app.code() })).stage, "done");
  const back = new URL(success(await page.post("finish")).redirect);
  assert.deepEqual([`${back.origin}${back.pathname}`, back.searchParams.get("state")], [returnUrl, "s-1"]);

  const code = back.searchParams.get("code");
  const result = success(await shop.post("/mfa/sessions/result", { code }));
  assert.deepEqual([result.user_id, result.purpose, result.method, result.amr], ["ann", "verify", "totp", ["otp"]]);
  const keys = createLocalJWKSet(success(await worker.request("GET", "/.well-known/jwks.json")));
  const { payload } = await jwtVerify(result.result_token, keys, { typ: "candado-result+jwt", audience: shop.id, algorithms: ["ES256"] });
  assert.deepEqual([payload.sub, payload.nonce, payload.auth_time], ["ann", "n-1", result.auth_time]);
  failure(await shop.post("/mfa/sessions/result", { code }), 400, "code_already_used");
  failure(await page.post("keep-open"), 410, "session_ended");
});

test("ATK-97: of 10 browsers that open a session at once one keeps it", async () => {
  await shop.newUser("bob");
  const { session, secret } = await begin("bob");
  const browsers = Array.from({ length: 10 }, () => new Browser(`https://mfa.example.com/session#${session}.${secret}`));
  const replies = await Promise.all(browsers.map((browser) => browser.open()));
  assert.equal(replies.filter(({ status }) => status === 200).length, 1);
  for (const reply of replies.filter(({ status }) => status !== 200)) failure(reply, 403, "other_browser");
});

test("a caller's trace is named in the log, and what is no trace is not", async () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  success(await worker.request("GET", "/health", { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } }));
  await worker.request("GET", "/health", { headers: { traceparent: `00-${"0".repeat(32)}-00f067aa0ba902b7-01` } });
  const lines = worker.logs().filter((line) => line.includes('"route":"/health"'));
  assert.ok(lines.at(-2).includes(trace), lines.at(-2));
  assert.ok(!lines.at(-1).includes("0".repeat(32)), lines.at(-1));
});
