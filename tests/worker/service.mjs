// The service as its callers see it, whichever program serves it.
import assert from "node:assert/strict";
import { findCode } from "../../sandbox/code.mjs";
import { Authenticator } from "./authenticator.mjs";

/** A running service and the sandbox beside it. Whoever extends it sets `url`. */
export class Service {
  /** Milliseconds after which a request that nobody waits for any more has surely taken effect, if it ever does. */
  lastsAtMost = 3000;
  #adminToken;

  constructor(sandbox, variables) {
    this.sandbox = sandbox;
    this.variables = variables;
    this.#adminToken = variables.ADMIN_TOKEN;
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

  /** All of them, oldest first. */
  async events(query) {
    const all = [];
    let after = 0;
    do {
      const page = success(await this.admin("GET", `/audit?${new URLSearchParams({ limit: 1000, after, ...query })}`));
      all.push(...page.events);
      after = page.next;
    } while (after);
    return all;
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
}

/** An application that uses the service. Its methods answer `{status, headers, text, body}`, whatever the status. */
class Client {
  constructor(service, id, secret) {
    Object.assign(this, { service, id, secret });
  }

  async auth() {
    const reply = await this.service.request("POST", "/auth", { body: { client_id: this.id, client_secret: this.secret } });
    this.token = success(reply).access_token;
    return this.token;
  }

  post(path, body) {
    return this.service.request("POST", path, { token: this.token, body });
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
    return this.service.request("DELETE", `/mfa/users/${encodeURIComponent(user)}`, { token: this.token });
  }

  status(user) {
    const query = new URLSearchParams({ user_id: user, client_id: this.id });
    return this.service.request("GET", `/mfa/status?${query}`, { token: this.token });
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
