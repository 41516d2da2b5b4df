// Random operations by several workers at a time on one user, and the record of what came of them.
import { Authenticator } from "../authenticator.mjs";

/** Park and Miller's generator: `random(limit)` gives whole numbers below the limit. */
export function seeded(seed) {
  let state = (seed % 2147483646) + 1;
  return (limit) => (state = (state * 48271) % 2147483647) % limit;
}

const WEIGHTS = {
  rightCode: 26, wrongCode: 4, oldCode: 3, generate: 10, generatedCode: 12, sms: 2, smsCode: 4, recoveryCodes: 2, recoveryCode: 8,
  namedCode: 8, renew: 4, revoke: 1, disable: 1, remove: 1, register: 3, registerActive: 1, unlock: 3, status: 9,
};
const CHOICES = Object.entries(WEIGHTS).flatMap(([name, weight]) => Array(weight).fill(name));
const MOST_CUT_OFF = 2;

/** What the workers know of their user, and its history so far. */
export class Subject {
  constructor(service, client, user, phone) {
    Object.assign(this, { service, client, user, phone });
    this.history = [];
    this.apps = [];
    this.generated = [];
    this.smsCodes = [];
    this.recovery = [];
    this.cutOff = 0;
    this.loose = [];
  }

  async work(random, until) {
    while (performance.now() < until) await this.next(random);
  }

  async next(random) {
    const last = this.lastAnswer ?? "";
    if (last.startsWith("404") || (last.startsWith("409 mfa") && random(2))) return this.choose(random(4) ? "register" : "registerActive", random);
    if (last === "429 locked" && random(2)) return this.choose("unlock", random);
    return this.choose(CHOICES[random(CHOICES.length)], random);
  }

  choose(name, random) {
    const recent = (list) => list[Math.max(0, list.length - 1 - (random(3) ? 0 : random(3)))];
    const any = (list) => list[random(list.length)];
    const verify = (code, source, method) => this.do("verify", { code, source, method }, () => this.client.verify(this.user, code, method), random);
    const totp = (app) => {
      if (!app) return undefined;
      const step = app.step() + random(3) - 1;
      return verify(app.codeOf(step), `${app.secret}/${step}`);
    };
    const numberOf = ({ code, id }) => verify(code, `code ${id}`);
    switch (name) {
      case "rightCode": return totp(recent(this.apps));
      case "oldCode": return totp(any(this.apps));
      case "wrongCode": return verify(String(random(1_000_000)).padStart(6, "0"), "guess");
      case "namedCode": return this.named(random, verify);
      case "generatedCode": return this.generated.length ? numberOf(recent(this.generated)) : undefined;
      case "smsCode": return this.smsCodes.length ? numberOf(recent(this.smsCodes)) : undefined;
      case "recoveryCode": return this.recovery.length ? verify(...Array(2).fill(any(recent(this.recovery)))) : undefined;
      case "register": return this.register(true, random);
      case "registerActive": return this.register(false, random);
      case "renew": return this.bind("renew", { revoke: false }, () => this.client.renew(this.user), random);
      case "revoke": return this.bind("renew", { revoke: true }, () => this.client.renew(this.user, { revoke_current: true }), random);
      case "disable": return this.do("disable", {}, () => this.client.disable(this.user), random);
      case "remove": return this.do("remove", {}, () => this.client.remove(this.user), random);
      case "unlock": return this.do("unlock", {}, () => this.unlock(), random);
      case "status": return this.do("status", {}, () => this.client.status(this.user), random);
      default: return this[name](random);
    }
  }

  /** A code, right or wrong, said to be of some method. */
  named(random, verify) {
    const method = ["totp", "sms", "generated", "recovery_code"][random(4)];
    const app = this.apps.at(-1);
    const generated = this.generated.at(-1);
    const kept = this.recovery.at(-1)?.[random(10)];
    const choices = [
      app && [app.codeOf(app.step()), `${app.secret}/${app.step()}`],
      generated && [generated.code, `code ${generated.id}`],
      kept && [kept, kept],
    ].filter(Boolean);
    return choices.length ? verify(...choices[random(choices.length)], method) : undefined;
  }

  register(confirm, random) {
    return this.bind("register", { confirm }, () => this.client.register(this.user, { phone: this.phone, confirm }), random);
  }

  unlock() {
    return this.service.admin("POST", "/unlock", { client_id: this.client.id, user_id: this.user });
  }

  async bind(kind, input, send, random) {
    const { operation, body } = await this.do(kind, { ...input, secret: `unknown ${this.history.length}` }, send, random);
    if (!operation.answer?.startsWith("200")) return;
    const app = new Authenticator(body.otpauth_url);
    operation.secret = app.secret;
    this.apps.push(app);
  }

  async generate(random) {
    const { operation, body } = await this.do("generate", {}, () => this.client.generate(this.user), random);
    if (operation.answer === "200") this.generated.push(Object.assign(operation, { code: body.code }));
  }

  async sms(random) {
    const { operation } = await this.do("sms", {}, () => this.client.sms(this.user), random);
    if (operation.answer !== "200") return;
    // Of this number no other message is under way: the next is a minute off.
    this.smsCodes.push(Object.assign(operation, { code: this.service.codeSentTo(this.phone) }));
  }

  async recoveryCodes(random) {
    const unknown = Array.from({ length: 10 }, (_, index) => `unknown-${this.history.length}-${index}`);
    const { operation, body } = await this.do("recoveryCodes", { codes: unknown }, () => this.client.recoveryCodes(this.user), random);
    if (operation.answer !== "200 10") return;
    operation.codes = body.recovery_codes;
    this.recovery.push(body.recovery_codes);
  }

  /** Sends one request and records it. Now and then the sender does not wait for the answer. */
  async do(kind, input, send, random) {
    const impatient = this.cutOff < MOST_CUT_OFF && random(100) === 0;
    const operation = { id: nextId++, kind, ...input, codeOf, called: performance.now(), from: Date.now() };
    this.history.push(operation);
    const sent = send().catch(() => undefined);
    const reply = await (impatient ? Promise.race([sent, patience()]) : sent);
    operation.answer = reply && answerOf(kind, reply);
    Object.assign(operation, { returned: performance.now(), to: Date.now() });
    if (operation.answer) {
      this.lastAnswer = operation.answer;
    } else {
      this.cutOff += 1;
      operation.returned = Infinity;
      this.loose.push(this.close(operation, sent));
    }
    return { operation, body: reply?.body };
  }

  /** Of a request nobody waits for any more, the service is done when it answers, or else some time after its isolate is gone. */
  async close(operation, sent) {
    const late = await sent;
    if (!late || !answerOf(operation.kind, late)) await patience(this.service.lastsAtMost);
    Object.assign(operation, { returned: performance.now(), to: Date.now() });
  }
}

let nextId = 0;

const patience = (milliseconds = 5) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const codes = new Map();

/** The code of a secret at a step; secrets nobody was told have none. */
function codeOf(secret, step) {
  const key = `${secret}/${step}`;
  if (!codes.has(key)) codes.set(key, secret.startsWith("unknown") ? null : Authenticator.of(secret).codeOf(step));
  return codes.get(key);
}

function answerOf(kind, { status, body, text }) {
  // What the local runtime says while it starts anew; and what the service says when its database was lost on the way, which
  // may have carried it out.
  if (status === 503 && (!body || body.error === "unavailable")) return undefined;
  if (status === 204) return "204";
  if (!body) throw new Error(`${kind}: ${status} ${text}`);
  if (status !== 200) return [status, body.error, ...(body.attempts_remaining === undefined ? [] : [body.attempts_remaining])].join(" ");
  if (kind === "verify") return `200 ${body.method}`;
  if (kind === "recoveryCodes") return `200 ${body.remaining}`;
  if (kind === "status") {
    const { mfa_enabled: enabled, state, recovery_codes_remaining: remaining, locked_until: lockedUntil, methods } = body;
    if (methods.includes("totp") !== (state === "active")) throw new Error(text);
    return `200 ${enabled} ${state} ${remaining} ${lockedUntil ? "locked" : "free"}`;
  }
  return kind === "register" || kind === "renew" ? `200 ${body.state}` : "200";
}
