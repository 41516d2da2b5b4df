// What lies in D1, in KV and in the log after a run: nothing a thief of it could use (ATK-73, LOG-02).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Authenticator } from "./authenticator.mjs";
import { startWorker, success } from "./harness.mjs";

const phones = ["+34600111222", "+34600111333"];
const addresses = ["Ann.Smith@example.com", "bob@example.org"];
const names = ["ann.smith@work.example", "Roberto at home"];
// Whatever of a secret or a person must not be found; by what it is.
const secrets = [];
// What /mfa/sms, /mfa/email and /mfa/recovery answered.
const answersToSends = [];
let worker, database, keyValue, logs;

const remember = (kind, text) => secrets.push({ kind, text, patterns: patterns(kind, text) });

before(async () => {
  worker = await startWorker();
  await run();
  [database, keyValue, logs] = [await worker.dumpDatabase(), await worker.dumpKeyValue(), worker.logs()];
});
after(() => worker?.close());

/** Every way to make, send, use and refuse a secret. */
async function run() {
  const { variables } = worker;
  for (const name of ["ADMIN_TOKEN", "TWILIO_AUTH_TOKEN", "SENDGRID_API_KEY"]) remember(name, variables[name]);
  remember("MASTER_KEYS", variables.MASTER_KEYS.slice(3));
  phones.forEach((phone) => remember("phone", phone));
  addresses.forEach((address) => remember("e-mail", address));
  names.forEach((name) => remember("account name", name));

  const shop = await worker.newClient();
  remember("client secret", shop.secret);
  remember("token", shop.token);
  for (const [index, user] of ["ann", "bob"].entries()) {
    const [phone, email] = [phones[index], addresses[index]];
    const enrolled = success(await shop.register(user, { phone, email, account_name: names[index], algorithm: index ? "SHA256" : "SHA1" }));
    await use(shop, user, enrolled, phone, email);
  }
  const rotated = await worker.admin("POST", `/clients/${shop.id}/rotate-secret`, { overlap_seconds: 60 });
  remember("client secret", success(rotated).client_secret);
  await refusals(shop);
  success(await worker.request("POST", "/auth/revoke", { body: { access_token: shop.token } }));
}

async function use(shop, user, enrolled, phone, email) {
  const app = new Authenticator(enrolled.otpauth_url);
  remember("TOTP secret", enrolled.secret);
  remember("QR link", new URL(enrolled.qr_code_url).searchParams.get("t"));
  const code = await app.freshCode();
  remember("code", code);
  success(await shop.verify(user, code));

  const { recovery_codes: recoveryCodes } = success(await shop.recoveryCodes(user));
  recoveryCodes.forEach((recoveryCode) => remember("recovery code", recoveryCode));
  success(await shop.verify(user, recoveryCodes[3]));

  for (const [send, to] of [[shop.sms(user), phone], [shop.email(user), email]]) {
    answersToSends.push(await send);
    remember("code", worker.codeSentTo(to));
  }
  success(await shop.verify(user, worker.codeSentTo(phone)));
  remember("code", success(await shop.generate(user)).code);

  const renewed = success(await shop.renew(user));
  remember("TOTP secret", renewed.secret);
  for (let guess = 0; guess < 6; guess += 1) {
    const wrong = app.wrongCode();
    remember("wrong code", wrong);
    await shop.verify(user, wrong);
  }
}

/** A provider that echoes what it was sent, and requests that carry secrets where they do not belong. */
async function refusals(shop) {
  await shop.newUser("carol", { phone: phones[0], email: addresses[0] });
  const echo = { code: 21211, message: `Invalid 'To' Phone Number: ${phones[0]}` };
  await worker.fault({ channel: "sms", status: 400, body: JSON.stringify(echo) });
  answersToSends.push(await shop.sms("carol"));
  await worker.fault({ channel: "email", status: 500, body: `cannot send to ${addresses[0]}` });
  answersToSends.push(await shop.recovery("carol", "email"));
  await shop.verify("carol", "739154 ");
  remember("code", "739154");
  await worker.request("GET", `/mfa/verify?code=739154&access_token=${shop.token}`);
  await worker.request("POST", "/auth", { body: `{"client_id":"${shop.id}","client_secret":"${shop.secret}"` });
  await worker.request("POST", `/mfa/users/${encodeURIComponent(addresses[1])}`, { token: shop.token.slice(0, -1) });
}

/** The forms a secret may hide in. A number counts only where it stands alone: digests hold any digits. */
function patterns(kind, text) {
  const escaped = (plain) => plain.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (kind.endsWith("code") && /^\d+$/.test(text)) {
    const digests = ["md5", "sha1", "sha256", "sha512"].map((name) => createHash(name).update(text).digest("hex"));
    return [new RegExp(`(?<![0-9A-Za-z_-])${text}(?![0-9A-Za-z_-])`), ...digests.map((digest) => new RegExp(digest, "i"))];
  }
  const forms = new Set([text]);
  for (const bytes of [Buffer.from(text), ...rawBytes(kind, text)]) {
    for (const encoding of ["hex", "base64", "base64url", "latin1"]) forms.add(bytes.toString(encoding).replace(/=+$/, ""));
    forms.add(JSON.stringify([...bytes]).slice(1, -1));
  }
  if (kind === "phone") forms.add(text.slice(1)).add(text.slice(3));
  if (kind === "recovery code") forms.add(text.replaceAll("-", ""));
  if (kind === "token" || kind === "QR link") forms.add(text.split(".").at(-1));
  if (kind === "client secret") forms.add(text.replace("cnd_", ""));
  return [...forms].map((form) => new RegExp(escaped(form), "i"));
}

function rawBytes(kind, text) {
  if (kind === "TOTP secret") return [fromBase32(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")];
  if (kind === "recovery code") return [fromBase32(text.replaceAll("-", ""), "0123456789ABCDEFGHJKMNPQRSTVWXYZ")];
  if (kind === "MASTER_KEYS") return [Buffer.from(text, "base64")];
  return [];
}

function fromBase32(text, alphabet) {
  const bits = [...text].map((symbol) => alphabet.indexOf(symbol).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

/** Which secrets are in the text. */
function found(text) {
  return secrets.filter(({ patterns }) => patterns.some((pattern) => pattern.test(text))).map(({ kind }) => kind);
}

test("the search finds what is there", async () => {
  for (const { kind, text } of secrets) assert.ok(found(`{"x":"${text}"}`).includes(kind), kind);
  const [{ text: secret }] = secrets.filter(({ kind }) => kind === "TOTP secret");
  const raw = fromBase32(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
  for (const encoding of ["hex", "base64", "base64url"]) assert.deepEqual(found(raw.toString(encoding)), ["TOTP secret"]);
  for (const kind of ["TOTP secret", "recovery code", "code", "wrong code", "token", "QR link", "client secret"]) {
    assert.ok(secrets.some((secret) => secret.kind === kind), kind);
  }
});

test("ATK-73: no table of D1 holds a secret, a code, a token, a name, a phone number or an address", () => {
  assert.ok(database.accounts.length === 3 && database.audit_log.length > 20 && database.send_counters.length > 0);
  assert.ok(database.clients.length === 1 && database.revoked_tokens.length === 1);
  for (const [table, rows] of Object.entries(database)) {
    // Values one a line, so that JSON in them is not escaped once more.
    const text = rows.flatMap(Object.values).join("\n");
    assert.deepEqual(found(text), [], table);
  }
});

test("ATK-73: KV holds digests and times only, and every key expires", () => {
  const kinds = new Set(keyValue.map(({ name }) => name.split(":")[0]));
  assert.deepEqual([...kinds].sort(), ["code", "lock"]);
  const now = Date.now() / 1000;
  for (const { name, expiration, value } of keyValue) {
    assert.deepEqual(found(`${name}\n${value}`), [], name);
    assert.match(value, name.startsWith("code:") ? /^k1\.[0-9a-f]{64}$/ : /^\{("(totp|delivered|recovery)":\d{10},?){1,3}\}$/);
    assert.ok(expiration > now && expiration <= now + 601, `${name} expires at ${expiration}`);
  }
});

test("LOG-02: the log names no secret and no user, and has one line of JSON a request", () => {
  const text = logs.join("\n");
  assert.deepEqual(found(text), []);
  const lines = logs.filter((line) => line.startsWith("{")).map(JSON.parse);
  assert.ok(lines.length > 30);
  const fields = ["request_id", "trace_id", "method", "route", "client", "status", "error", "cause", "ms"];
  for (const line of lines) assert.deepEqual(Object.keys(line).sort(), fields.sort());
  for (const user of ["ann", "bob", "carol"]) assert.doesNotMatch(text, new RegExp(`\\b${user}\\b`));
});

test("OOB-09: a code that is sent is in no answer", () => {
  assert.equal(answersToSends.length, 6);
  for (const { text, headers } of answersToSends) assert.deepEqual(found(`${text}\n${JSON.stringify([...headers])}`), []);
});

test("a TOTP verification writes three rows: the account, its event and the one index of the event", async () => {
  const shop = await worker.newClient();
  await shop.newUser("counted");
  const [account] = await worker.sql("SELECT * FROM accounts WHERE client_id = ? AND user_id = 'counted'", shop.id);
  const [{ token_epoch: epoch }] = await worker.sql("SELECT token_epoch FROM clients WHERE client_id = ?", shop.id);
  const values = { $client: shop.id, $user: "counted", $state: account.state, $now: account.updated_at, $version: account.version, $id: epoch };
  const statements = JSON.parse(readFileSync(new URL("verification.json", import.meta.url), "utf8"));
  const prepared = statements.map(({ sql, params }) => worker.env.DB.prepare(sql).bind(...params.map((name) => values[name] ?? name)));
  const results = await worker.env.DB.batch(prepared);
  assert.deepEqual(results.map(({ meta }) => [meta.changes, meta.rows_written]), [[1, 1], [1, 2]]);
});
