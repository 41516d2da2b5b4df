// The CPU of the built Worker for its most expensive requests, against the 10 ms a request has on the free plan.
// The wasm and its script run here, in V8 as in workerd, with SQLite and a Map in the place of D1 and KV, whose own
// time is not counted: on Cloudflare it is spent elsewhere. Nothing waits, so what is left of the time is CPU.
import { readdirSync, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { freshVariables } from "../scripts/lib/local.mjs";

const RUNS = Number(process.env.BENCH_RUNS ?? 1000);
const BODY_LIMIT = 16 * 1024;
const ORIGIN = "https://mfa.example.com";
const root = fileURLToPath(new URL("..", import.meta.url));

/** What the bindings took since this was set to 0, in milliseconds. */
let elsewhere = 0;

async function apart(work) {
  const began = performance.now();
  try {
    return work();
  } finally {
    elsewhere += performance.now() - began;
  }
}

// The worker crate asks bindings for the names of their classes.
class D1Database {
  #sqlite = new DatabaseSync(":memory:");

  constructor() {
    const folder = join(root, "migrations");
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".sql")).sort()) this.#sqlite.exec(readFileSync(join(folder, name), "utf8"));
  }

  prepare(sql) {
    return { bind: (...values) => ({ sql, values }) };
  }

  batch(statements) {
    return apart(() => statements.map(({ sql, values }) => this.run(sql, ...values)));
  }

  run(sql, ...values) {
    const statement = this.#sqlite.prepare(sql);
    const named = Object.fromEntries(values.map((value, index) => [`?${index + 1}`, value]));
    const params = values.length ? [named] : [];
    if (statement.columns().length) return { success: true, results: statement.all(...params), meta: { changes: 0 } };
    return { success: true, results: [], meta: { changes: Number(statement.run(...params).changes) } };
  }
}

class KvNamespace {
  #values = new Map();
  get = (key) => apart(() => this.#values.get(key) ?? null);
  put = (key, value) => apart(() => void this.#values.set(key, value));
  delete = (key) => apart(() => void this.#values.delete(key));
}

const env = { ...freshVariables(), ENVIRONMENT: "production", PUBLIC_URL: ORIGIN, DB: new D1Database(), KV: new KvNamespace() };
const unwritten = [];
const context = { waitUntil: (work) => unwritten.push(work), passThroughOnException() {} };

globalThis.addEventListener = () => {};
globalThis.fetch = async () => new Response(null, { status: 202 });
const print = console.log;
console.log = () => {};

const began = performance.now();
const { default: Worker } = await load();
const worker = new Worker(context, env);
const started = performance.now() - began;

/** The built module; what only workerd has is put in its place. */
function load() {
  const runtime = "export class WorkerEntrypoint { constructor(ctx, env) { Object.assign(this, { ctx, env }); } }";
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== "cloudflare:workers") return next(specifier, context);
      return { url: `data:text/javascript,${encodeURIComponent(runtime)}`, format: "module", shortCircuit: true };
    },
    load(url, context, next) {
      if (!url.endsWith(".wasm")) return next(url, context);
      const module = `new WebAssembly.Module(readFileSync(new URL(${JSON.stringify(url)})))`;
      const source = `import { readFileSync } from "node:fs"; export default ${module};`;
      return { source, format: "module", shortCircuit: true };
    },
  });
  return import("../build/index.js");
}

/** The answer, and the milliseconds of CPU it took. */
async function send(method, path, token, body, key) {
  const headers = { ...(key && { "Idempotency-Key": key }), ...(token && { Authorization: `Bearer ${token}` }), ...(body && { "Content-Type": "application/json" }) };
  const request = new Request(ORIGIN + path, { method, headers, body });
  elsewhere = 0;
  const began = performance.now();
  const response = await worker.fetch(request);
  const bytes = await response.arrayBuffer();
  const spent = performance.now() - began - elsewhere;
  await Promise.all(unwritten.splice(0));
  return { status: response.status, text: Buffer.from(bytes).toString(), spent };
}

async function post(path, token, body) {
  const { status, text } = await send("POST", path, token, JSON.stringify(body));
  if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
  return JSON.parse(text);
}

const { spent: firstOfAll } = await send("GET", "/health");
const client = await post("/admin/clients", env.ADMIN_TOKEN, { name: "Shop", client_id: "shop" });
const { access_token: token } = await post("/auth", null, { client_id: "shop", client_secret: client.client_secret });

// All an account can hold: an app and its pending twin with the longest secrets, ten recovery codes, and a live
// code on every channel.
const ann = { user_id: "ann" };
await post("/mfa/register", token, { ...ann, phone: "+34600111222", email: "ann@example.com", algorithm: "SHA512", confirm: false });
const renewed = await post("/mfa/renew", token, ann);
const { recovery_codes: [recoveryCode] } = await post("/mfa/recovery-codes", token, ann);
for (const path of ["/mfa/sms", "/mfa/email", "/mfa/generate"]) await post(path, token, ann);
// So that the fourth code needs no minute of waiting.
env.DB.run("UPDATE accounts SET state = json_set(state, '$.sends.sms', json('[]'))");
await post("/mfa/recovery", token, { ...ann, recovery_method: "sms" });
const { results: [{ state, version }] } = env.DB.run("SELECT state, version FROM accounts");

const full = (body) => JSON.stringify(body).padEnd(BODY_LIMIT, " ");
const right = { ...ann, code: recoveryCode };
const picture = new URL(renewed.qr_code_url);
const cases = [
  ["verify, six digits, wrong, body of 16 KiB", 400, "POST", "/mfa/verify", full({ ...ann, code: "000000" })],
  ["verify, eight digits, wrong, body of 16 KiB", 400, "POST", "/mfa/verify", full({ ...ann, code: "00000000" })],
  ["verify, recovery code, wrong, body of 16 KiB", 400, "POST", "/mfa/verify", full({ ...ann, code: "0".repeat(24) })],
  ["verify, right", 200, "POST", "/mfa/verify", JSON.stringify(right)],
  ["verify, right, with a result token", 200, "POST", "/mfa/verify", JSON.stringify({ ...right, result_token: true })],
  ["verify, right, with an Idempotency-Key", 200, "POST", "/mfa/verify", JSON.stringify(right), "key"],
  ["keys of result tokens", 200, "GET", "/.well-known/jwks.json"],
  ["ten recovery codes, body of 16 KiB", 200, "POST", "/mfa/recovery-codes", full(ann)],
  ["renew, body of 16 KiB", 200, "POST", "/mfa/renew", full(ann)],
  ["QR code as PNG", 200, "GET", picture.pathname + picture.search],
  ["status", 200, "GET", "/mfa/status?user_id=ann"],
];
const ms = (time) => `${time.toFixed(2).padStart(6)} ms`;
print(`The built Worker: compiled and started in ${ms(started).trim()}, its first request ${ms(firstOfAll).trim()}`);
print(`${RUNS} requests each; CPU without that of D1 and KV`);
for (const [name, wanted, method, path, body, key] of cases) {
  const times = [];
  for (let n = 0; n < RUNS; n++) {
    env.DB.run("UPDATE accounts SET state = ?1, version = ?2", state, version);
    const { status, text, spent } = await send(method, path, token, body, key && `${key} ${n}`);
    if (status !== wanted) throw new Error(`${name}: ${status} ${text}`);
    times.push(spent);
  }
  const first = times[0];
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor((RUNS - 1) * share)];
  print(`${name.padEnd(46)} median ${ms(at(0.5))}   99 % below ${ms(at(0.99))}   the first ${ms(first)}`);
}
