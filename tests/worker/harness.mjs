// The built Worker under workerd, with D1 and KV beside it, and a sandbox in the place of Twilio and SendGrid.
// The clock is the real one; what needs another is tested natively (tests/api).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";
import { findCode } from "../../sandbox/code.mjs";
import { freshVariables } from "../../scripts/lib/local.mjs";
import { besideSandbox } from "../../scripts/lib/service.mjs";
import { Authenticator } from "./authenticator.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export { masterKey } from "../../scripts/lib/local.mjs";

/** The service with everything around it. `variables` change or, when empty, take away what it is configured with. */
export async function startWorker(variables = {}) {
  const surroundings = await besideSandbox(freshVariables(), { address: "https://mfa.example.com" });
  const worker = new Worker(surroundings.sandbox, {
    ...Object.fromEntries(variableNames().map((name) => [name, ""])),
    ...surroundings.variables,
    SMS_COUNTRIES: "ES,US",
    ...variables,
  });
  await worker.listen();
  return worker;
}

/** Every variable the service reads: one that is not given here would come from the developer's .dev.vars. */
function variableNames() {
  const source = readFileSync(join(root, "src", "config.rs"), "utf8");
  return [...new Set([...source.matchAll(/"([A-Z]+(?:_[A-Z]+)*)"/g)].map(([, name]) => name))];
}

class Worker {
  #server;
  #adminToken;

  constructor(sandbox, variables) {
    this.sandbox = sandbox;
    this.variables = variables;
    this.#adminToken = variables.ADMIN_TOKEN;
    this.#server = createTestHarness(this.#options());
  }

  #options() {
    const input = { configPath: "wrangler.toml", prebuiltWorkerDir: "dist", secrets: this.variables };
    return { root, workers: [input] };
  }

  async listen() {
    const { url } = await this.#server.listen();
    this.url = url.origin;
    await this.#server.getWorker().applyD1Migrations("DB");
    this.env = await this.#server.getWorker().getEnv();
  }

  /** A new isolate, as after a deployment: nothing in memory is kept, everything in D1 and KV is. */
  async restart(variables = {}) {
    this.variables = { ...this.variables, ...variables };
    await this.#server.update(this.#options());
    await this.listen();
  }

  /** What `run` does happens under other variables. */
  async configured(variables, run) {
    const former = Object.fromEntries(Object.keys(variables).map((name) => [name, this.variables[name]]));
    await this.restart(variables);
    try {
      await run();
    } finally {
      await this.restart(former);
    }
  }

  async close() {
    await this.#server.close();
    await this.sandbox.close();
  }

  /** Runs the scheduled job. */
  schedule() {
    return this.#server.getWorker().scheduled({ cron: "*/10 * * * *", scheduledTime: new Date() });
  }

  logs() {
    return this.#server.getLogs().map(({ message }) => message);
  }

  /** One request over HTTP. A `body` that is not text is sent as JSON. */
  async request(method, path, { token, body, headers = {} } = {}) {
    const all = { ...headers };
    if (token) all.authorization ??= `Bearer ${token}`;
    if (body !== undefined) all["content-type"] ??= "application/json";
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(this.url + path, { method, headers: all, body: text, redirect: "manual" });
    return reply(response.status, response.headers, await response.text());
  }

  admin(method, path, body) {
    return this.request(method, `/admin${path}`, { token: this.#adminToken, body });
  }

  /** A client as the operator makes it, authenticated. */
  async newClient(settings = {}, name = "Shop") {
    const { client_id: id, client_secret: secret } = success(await this.admin("POST", "/clients", { name, settings }), 201);
    const client = new Client(this, id, secret);
    await client.auth();
    return client;
  }

  async unlock(client, user) {
    success(await this.admin("POST", "/unlock", { client_id: client.id, user_id: user }));
  }

  async events(query) {
    return success(await this.admin("GET", `/audit?${new URLSearchParams({ limit: 1000, ...query })}`)).events;
  }

  /** The provider's next requests fail so. */
  async fault(fault) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${this.sandbox.url}/faults`, { method: "POST", headers, body: JSON.stringify(fault) });
    assert.equal(response.status, 201, await response.text());
  }

  /** The code in the last message to that number or address. */
  codeSentTo(to) {
    const code = findCode(this.sandbox.messages({ to }).at(-1));
    assert.ok(code, `no code was sent to ${to}`);
    return code;
  }

  async sql(text, ...params) {
    const run = () => this.env.DB.prepare(text).bind(...params).all();
    // A connection to the local runtime that lay idle may be closed just when it is used.
    return (await run().catch((error) => (error.cause?.code === "UND_ERR_SOCKET" ? run() : Promise.reject(error)))).results;
  }

  /** Every row of every table, by table. */
  async dumpDatabase() {
    const tables = await this.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'");
    const rows = tables.map(async ({ name }) => [name, await this.sql(`SELECT * FROM "${name}"`)]);
    return Object.fromEntries(await Promise.all(rows));
  }

  /** Every entry of KV: `{name, expiration, value}`. */
  async dumpKeyValue() {
    const { keys, list_complete: complete } = await this.env.KV.list();
    assert.ok(complete, "more keys than one page");
    return Promise.all(keys.map(async (key) => ({ ...key, value: await this.env.KV.get(key.name) })));
  }
}

/** An application that uses the service. Its methods answer `{status, headers, text, body}`, whatever the status. */
class Client {
  constructor(worker, id, secret) {
    Object.assign(this, { worker, id, secret });
  }

  async auth() {
    const reply = await this.worker.request("POST", "/auth", { body: { client_id: this.id, client_secret: this.secret } });
    this.token = success(reply).access_token;
    return this.token;
  }

  post(path, body) {
    return this.worker.request("POST", path, { token: this.token, body });
  }

  register(user, options = {}) {
    return this.post("/mfa/register", { user_id: user, client_id: this.id, ...options });
  }

  renew(user, options = {}) {
    return this.post("/mfa/renew", { user_id: user, client_id: this.id, ...options });
  }

  verify(user, code, method) {
    return this.post("/mfa/verify", { user_id: user, client_id: this.id, code, method });
  }

  sms(user) {
    return this.post("/mfa/sms", { user_id: user, client_id: this.id });
  }

  email(user) {
    return this.post("/mfa/email", { user_id: user, client_id: this.id });
  }

  generate(user) {
    return this.post("/mfa/generate", { user_id: user, client_id: this.id });
  }

  recovery(user, method) {
    return this.post("/mfa/recovery", { user_id: user, client_id: this.id, recovery_method: method });
  }

  recoveryCodes(user) {
    return this.post("/mfa/recovery-codes", { user_id: user, client_id: this.id });
  }

  disable(user) {
    return this.post("/mfa/disable", { user_id: user, client_id: this.id });
  }

  remove(user) {
    return this.worker.request("DELETE", `/mfa/users/${encodeURIComponent(user)}`, { token: this.token });
  }

  status(user) {
    const query = new URLSearchParams({ user_id: user, client_id: this.id });
    return this.worker.request("GET", `/mfa/status?${query}`, { token: this.token });
  }

  /** A user with an active factor, none of whose codes is used. */
  async newUser(user, options = {}) {
    return new Authenticator(success(await this.register(user, { confirm: false, ...options })).otpauth_url);
  }
}

function reply(status, headers, text) {
  const json = headers.get("content-type")?.startsWith("application/json");
  return { status, headers, text, body: json ? JSON.parse(text) : undefined };
}

/** The body of an answer that must be a success. */
export function success({ status, text, body }, wanted = 200) {
  assert.equal(status, wanted, text);
  return body;
}

/** Asserts the status and code of a failure and answers its body. */
export function failure({ status, text, body }, wanted, error) {
  assert.deepEqual([status, body?.error, body?.status], [wanted, error, "failure"], text);
  return body;
}

/** How often each status and error code came, as `{"200": 1, "429 locked": 49}`. */
export function tally(replies) {
  const counts = {};
  for (const { status, body } of replies) {
    const name = body?.error ? `${status} ${body.error}` : `${status}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

export const parallel = (count, run) => Promise.all(Array.from({ length: count }, (_, index) => run(index)));

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
