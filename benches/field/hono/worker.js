// One-time-code verification as a team writes it for Workers: Hono, otplib, D1, and a lock mark in KV.
// Load, decide, and one conditional UPDATE by version: parallel guesses are counted one by one, a code is spent once.
import { verify } from "otplib";
import { Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";

const FREE_TRIES = 5;
const LOCK_SECONDS = 60;
const PERIOD = 30;
const TRIES_TO_STORE = 3;

const app = new Hono();
const failure = (context, status, error, more) => context.json({ status: "failure", error, ...more }, status);

app.get("/health", (context) => context.json({ status: "ok" }));

app.use("/*", async (context, next) => bearerAuth({ token: context.env.API_TOKEN })(context, next));

app.post("/enrol", async (context) => {
  const users = await context.req.json();
  const insert = context.env.DB.prepare("INSERT INTO users (user_id, sealed_secret) VALUES (?1, ?2)");
  const rows = users.map(async ({ user_id: user, secret }) => insert.bind(user, await seal(context.env, user, secret)));
  await context.env.DB.batch(await Promise.all(rows));
  return context.json({ status: "success" });
});

app.post("/verify", async (context) => {
  const { DB, KV } = context.env;
  const { user_id: user, code } = await context.req.json();
  if (typeof user !== "string" || !/^\d{6}$/.test(code)) return failure(context, 400, "invalid_request");
  const find = DB.prepare("SELECT sealed_secret, last_step, failures, locked_until, version FROM users WHERE user_id = ?1");
  const [found, mark] = await Promise.all([find.bind(user).first(), KV.get(`lock:${user}`)]);
  const now = Math.floor(Date.now() / 1000);
  if (Number(mark) > now) return failure(context, 429, "locked", { retry_after: Number(mark) - now });
  for (let row = found, tries = 0; tries < TRIES_TO_STORE; tries++, row = await find.bind(user).first()) {
    if (!row) return failure(context, 404, "user_not_found");
    if (row.locked_until > now) return failure(context, 429, "locked", { retry_after: row.locked_until - now });
    const secret = await open(context.env, user, row.sealed_secret);
    const result = await verify({ secret, token: code, epoch: now, period: PERIOD, epochTolerance: PERIOD });
    const step = result.valid ? result.timeStep : null;
    if (step !== null && step <= row.last_step) return failure(context, 400, "code_already_used");
    const failures = step === null ? row.failures + 1 : 0;
    const lockedUntil = failures >= FREE_TRIES ? now + LOCK_SECONDS : 0;
    // Of all requests that decided on one version, one UPDATE hits, and only its event is stored.
    const [swap] = await DB.batch([
      DB.prepare(
        "UPDATE users SET last_step = ?3, failures = ?4, locked_until = ?5, version = version + 1 WHERE user_id = ?1 AND version = ?2",
      ).bind(user, row.version, step ?? row.last_step, failures, lockedUntil),
      DB.prepare("INSERT INTO events (at, user_id, event) SELECT ?1, ?2, ?3 WHERE changes() = 1").bind(now, user, step === null ? "failed" : "verified"),
    ]);
    if (swap.meta.changes === 0) continue;
    if (lockedUntil) context.executionCtx.waitUntil(KV.put(`lock:${user}`, String(lockedUntil), { expirationTtl: LOCK_SECONDS }));
    if (step === null) return failure(context, 400, "invalid_code");
    return context.json({ status: "success", method: "totp" });
  }
  return failure(context, 429, "try_again");
});

let imported;

/** The key is imported once for each isolate. */
const sealingKey = (env) =>
  (imported ??= crypto.subtle.importKey("raw", decode(env.SEALING_KEY), "AES-GCM", false, ["encrypt", "decrypt"]));

const encoder = new TextEncoder();

async function seal(env, user, secret) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const algorithm = { name: "AES-GCM", iv, additionalData: encoder.encode(user) };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, await sealingKey(env), encoder.encode(secret)));
  return btoa(String.fromCharCode(...iv, ...sealed));
}

async function open(env, user, text) {
  const bytes = decode(text);
  const algorithm = { name: "AES-GCM", iv: bytes.subarray(0, 12), additionalData: encoder.encode(user) };
  return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, await sealingKey(env), bytes.subarray(12)));
}

const decode = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

export default app;
