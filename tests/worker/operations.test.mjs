// What an operator does to a running service, and what happens to its database: keys, restarts, tampering, the scheduled job.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { failure, masterKey, parallel, sleep, startWorker, success, tally } from "./harness.mjs";

let worker, shop;
before(async () => {
  worker = await startWorker();
  shop = await worker.newClient();
});
after(() => worker?.close());

const logSince = (length) => worker.logs().slice(length).join("\n");

test("the service is healthy with its database, its schema and its keys", async () => {
  const { status, version } = success(await worker.request("GET", "/health"));
  assert.equal(status, "ok");
  assert.match(version, /^\d+\.\d+\.\d+$/);
});

test("ATK-76: without good keys nothing is served, and the log names the variable and no key", async () => {
  const { MASTER_KEYS } = worker.variables;
  const key = MASTER_KEYS.slice(3);
  const bad = {
    missing: "",
    short: `k1:${Buffer.alloc(16, 7).toString("base64")}`,
    zero: `k1:${Buffer.alloc(32).toString("base64")}`,
    "twice the same key": `k1:${key},k2:${key}`,
    "twice the same id": `${MASTER_KEYS},${masterKey("k1")}`,
    "no base64": "k1:not base64 at all",
    "no id": key,
  };
  const app = await shop.newUser("early");
  for (const [name, keys] of Object.entries(bad)) {
    await worker.configured({ MASTER_KEYS: keys }, async () => {
      const before = worker.logs().length;
      const replies = [
        await worker.request("GET", "/health"),
        await worker.request("POST", "/auth", { body: { client_id: shop.id, client_secret: shop.secret } }),
        await shop.verify("early", app.code()),
        await worker.admin("GET", "/clients"),
      ];
      for (const reply of replies) {
        assert.doesNotMatch(failure(reply, 503, "unavailable").message, /MASTER_KEYS|k1/, name);
        assert.match(reply.headers.get("strict-transport-security"), /^max-age=/);
        assert.match(reply.headers.get("x-request-id"), /^[0-9a-f]{32}$/);
      }
      await worker.schedule();
      const log = logSince(before);
      assert.match(log, /refusing to serve: MASTER_KEYS is not (set|valid)/, name);
      assert.match(log, /refusing to run: MASTER_KEYS/, name);
      assert.ok(!log.includes(key), name);
    });
  }
  success(await shop.verify("early", await app.freshCode()));
});

test("CFG-04: other unsafe variables are refused by name too", async () => {
  const bad = {
    ADMIN_TOKEN: "short",
    ENVIRONMENT: "test",
    PUBLIC_URL: "mfa.example.com",
    SMS_COUNTRIES: "Spain",
    TWILIO_AUTH_TOKEN: "",
    SENDGRID_FROM: "nobody",
    SENDGRID_BASE_URL: "ftp://localhost",
  };
  for (const [name, value] of Object.entries(bad)) {
    await worker.configured({ [name]: value }, async () => {
      const before = worker.logs().length;
      failure(await worker.request("GET", "/health"), 503, "unavailable");
      assert.match(logSince(before), new RegExp(`refusing to serve: ${name}`));
    });
  }
  success(await worker.request("GET", "/health"));
});

test("ATK-16: failures are counted on after a restart, and a lock holds over it", async () => {
  const app = await shop.newUser("stubborn");
  for (const left of [4, 3, 2, 1]) {
    assert.equal(failure(await shop.verify("stubborn", app.wrongCode()), 400, "invalid_code").attempts_remaining, left);
    await worker.restart();
  }
  assert.equal(failure(await shop.verify("stubborn", app.wrongCode()), 400, "invalid_code").attempts_remaining, 0);
  await worker.restart();
  failure(await shop.verify("stubborn", app.code()), 429, "locked");
});

test("ATK-05: a used code is used after a restart, and a sent one still good", async () => {
  const phone = "+34600111222";
  const app = await shop.newUser("again", { phone });
  const code = await app.freshCode();
  success(await shop.verify("again", code));
  success(await shop.sms("again"));
  await worker.restart();
  failure(await shop.verify("again", code), 400, "code_already_used");
  failure(await shop.sms("again"), 429, "send_limited");
  success(await shop.verify("again", worker.codeSentTo(phone)));
});

test("ATK-61: a revoked token is refused by another isolate too", async () => {
  const token = await shop.auth();
  success(await shop.status("again"));
  success(await worker.request("POST", "/auth/revoke", { body: { access_token: token } }));
  failure(await shop.status("again"), 401, "invalid_token");
  await worker.restart();
  failure(await shop.status("again"), 401, "invalid_token");
  await shop.auth();
});

test("ATK-77: keys are rotated under load without a failed verification, and the retired key can go", async (t) => {
  const { MASTER_KEYS: oldKeys } = worker.variables;
  const users = Array.from({ length: 10 }, (_, index) => `busy-${index}`);
  const apps = await Promise.all(users.map((user) => shop.newUser(user, { phone: "+34600111444", email: "busy@example.com" })));
  const { recovery_codes: recoveryCodes } = success(await shop.recoveryCodes(users[0]));
  const keyIds = async () => {
    const rows = await worker.sql("SELECT key_id, COUNT(*) AS count FROM accounts GROUP BY key_id");
    return Object.fromEntries(rows.map(({ key_id: id, count }) => [id, count]));
  };
  assert.deepEqual(Object.keys(await keyIds()), ["k1"]);

  let rotating = true;
  t.after(() => (rotating = false));
  const [verified, cutOff] = [[], []];
  // The local runtime drops what is under way when it starts anew; the platform lets it finish.
  const dropped = (error) => (["fetch failed", "terminated"].includes(error.message) ? null : Promise.reject(error));
  const cut = (reply) => reply === null || (reply.status === 503 && reply.text.includes("restarted mid-request"));
  const guess = async (user) => {
    const generated = await shop.generate(user);
    return generated.body ? shop.verify(user, generated.body.code) : generated;
  };
  const load = users.map(async (user) => {
    while (rotating) {
      const reply = await guess(user).catch(dropped);
      (cut(reply) ? cutOff : verified).push(reply);
    }
  });
  await sleep(500);
  const newKeys = masterKey("k2");
  await worker.restart({ MASTER_KEYS: `${newKeys},${oldKeys}` });
  await sleep(500);
  assert.ok((await keyIds()).k2 >= 10, "what is written is sealed with the new key");
  // The job is cut off and begins again.
  await Promise.all([worker.schedule().catch(dropped), worker.restart()]);
  await worker.schedule();
  rotating = false;
  await Promise.all(load);
  t.diagnostic(`${JSON.stringify(tally(verified))}, ${cutOff.length} cut off by the restarts`);
  assert.deepEqual(Object.keys(tally(verified)), ["200"]);
  assert.deepEqual(Object.keys(await keyIds()), ["k2"]);

  await worker.restart({ MASTER_KEYS: newKeys });
  failure(await shop.status(users[0]), 401, "invalid_token");
  await shop.auth();
  for (const [index, user] of users.entries()) success(await shop.verify(user, await apps[index].freshCode()));
  // Decision 15: what outlives a key does not depend on one.
  success(await shop.verify(users[0], recoveryCodes[0]));
});

test("CRY-06: a secret sealed with a key that is gone fails closed and is recorded, and works again with it", async () => {
  const app = await shop.newUser("orphan", { phone: "+34600111555" });
  await worker.configured({ MASTER_KEYS: masterKey("k3") }, async () => {
    await shop.auth();
    failure(await shop.verify("orphan", app.code()), 500, "internal");
    failure(await shop.sms("orphan"), 500, "internal");
    assert.equal(success(await shop.status("orphan")).mfa_enabled, true);
    await worker.schedule();
    const [event] = await worker.events({ client_id: shop.id, user_id: "orphan", event: "crypt_decrypt_fail" });
    assert.equal(event.outcome, "failure");
  });
  await shop.auth();
  success(await shop.verify("orphan", await app.freshCode()));
});

const stateOf = async (user, client = shop) => {
  const [{ state }] = await worker.sql("SELECT state FROM accounts WHERE client_id = ? AND user_id = ?", client.id, user);
  return JSON.parse(state);
};

function setState(user, state, client = shop) {
  const text = typeof state === "string" ? state : JSON.stringify(state);
  return worker.sql("UPDATE accounts SET state = ? WHERE client_id = ? AND user_id = ?", text, client.id, user);
}

/** Nothing verifies, whoever's code it is, and the failure is recorded. */
async function failsClosed(client, user, ...codes) {
  for (const code of codes) failure(await client.verify(user, code), 500, "internal");
  const { mfa_enabled: enabled } = (await client.status(user)).body;
  assert.notEqual(enabled, false, "never no MFA");
}

/** The same authenticator app with another sealed secret. */
const withSecret = (factor, secret) => ({ ...factor, kind: { totp: { ...factor.kind.totp, secret } } });

test("ATK-74: a sealed secret moved to another user, tenant or field opens nowhere", async () => {
  const bank = await worker.newClient({}, "Bank");
  const contact = { phone: "+34600111666", email: "u@example.com" };
  const places = [];
  for (const [client, user] of [[shop, "u"], [shop, "v"], [bank, "u"]]) places.push([client, user, await client.newUser(user, contact)]);
  const states = await Promise.all(places.map(([client, user]) => stateOf(user, client)));
  const secret = (state) => state.factors[0].kind.totp.secret;
  for (const [index, [client, user, app]] of places.entries()) {
    const others = places.filter((_, other) => other !== index);
    const codes = [app.code(), ...others.map(([, , other]) => other.code())];
    for (const other of states.filter((_, other) => other !== index)) {
      // The whole row, the factor with its id, and the sealed text alone.
      const mine = states[index];
      const factor = withSecret(mine.factors[0], secret(other));
      for (const moved of [other, { ...mine, factors: other.factors }, { ...mine, factors: [factor] }]) {
        await setState(user, moved, client);
        await failsClosed(client, user, ...codes);
      }
    }
    const swapped = { ...states[index].contact, phone: states[index].contact.email, email: states[index].contact.phone };
    await setState(user, { ...states[index], contact: swapped }, client);
    failure(await client.sms(user), 500, "internal");
    failure(await client.email(user), 500, "internal");
    await setState(user, states[index], client);
    success(await client.verify(user, await app.freshCode()));
    await sleep(50);
    assert.ok((await worker.events({ client_id: client.id, user_id: user, event: "crypt_decrypt_fail" })).length > 0);
  }
});

test("ATK-75: a flipped bit anywhere in a sealed secret, a cut or another label fails closed", async () => {
  const app = await shop.newUser("flip");
  const state = await stateOf("flip");
  const sealed = state.factors[0].kind.totp.secret;
  const [format, keyId, text] = sealed.split(".");
  const bytes = Buffer.from(text, "base64url");
  assert.equal(bytes.length, 12 + 20 + 16);
  const flipped = [...bytes].map((_, place) => {
    const copy = Buffer.from(bytes);
    copy[place] ^= 1 << place % 8;
    return `${format}.${keyId}.${copy.toString("base64url")}`;
  });
  const cut = [0, 1, 11, 12, 28, 47].map((length) => `${format}.${keyId}.${bytes.subarray(0, length).toString("base64url")}`);
  const labels = [`v2.${keyId}.${text}`, `${format}.k9.${text}`, `${format}..${text}`, `${keyId}.${text}`, text, "", ".", ".."];
  labels.push(`${sealed}A`, `${sealed}=`, ` ${sealed}`);
  for (const forged of [...flipped, ...cut, ...labels]) {
    await setState("flip", { ...state, factors: [withSecret(state.factors[0], forged)] });
    failure(await shop.verify("flip", app.code()), 500, "internal");
  }
  await setState("flip", state);
  success(await shop.verify("flip", await app.freshCode()));
});

test("CRY-06: an account that cannot be read is never taken for a user without MFA", async () => {
  const app = await shop.newUser("broken");
  const state = await stateOf("broken");
  for (const stored of ["", "{", "null", "[]", "{}", { ...state, format: 99 }, { ...state, unknown: 1 }, { ...state, factors: {} }]) {
    await setState("broken", stored);
    failure(await shop.verify("broken", app.code()), 500, "internal");
    failure(await shop.status("broken"), 500, "internal");
    failure(await shop.register("broken"), 500, "internal");
  }
  await setState("broken", state);
  success(await shop.verify("broken", await app.freshCode()));
});

test("CRY-05: one account that cannot be read does not keep the others from being sealed again", async () => {
  const users = ["reseal-1", "reseal-2", "reseal-3"];
  await Promise.all(users.map((user) => shop.newUser(user)));
  const state = await stateOf("reseal-2");
  const { MASTER_KEYS } = worker.variables;
  await setState("reseal-2", "{");
  await setState("flip", { ...(await stateOf("flip")), format: 99 });
  await worker.restart({ MASTER_KEYS: `${masterKey("k4")},${MASTER_KEYS}` });
  await worker.schedule();
  const rows = await worker.sql("SELECT user_id FROM accounts WHERE key_id <> 'k4' ORDER BY user_id");
  assert.deepEqual(rows.map(({ user_id: user }) => user), ["flip", "reseal-2"]);
  await setState("reseal-2", state);
  await worker.sql("DELETE FROM accounts WHERE user_id = 'flip'");
  await worker.schedule();
  assert.deepEqual(await worker.sql("SELECT user_id FROM accounts WHERE key_id <> 'k4'"), []);
});

test("ATK-78: what was used after a backup stays used when the backup is restored", async () => {
  const phone = "+34600111777";
  const app = await shop.newUser("restored", { phone });
  const { recovery_codes: recoveryCodes } = success(await shop.recoveryCodes("restored"));
  success(await shop.sms("restored"));
  const [backup] = await worker.sql("SELECT state, version FROM accounts WHERE user_id = 'restored'");
  const used = [await app.freshCode(), worker.codeSentTo(phone), recoveryCodes[0]];
  for (const code of used) success(await shop.verify("restored", code));
  success(await worker.request("POST", "/auth/revoke", { body: { access_token: shop.token } }));

  await sleep(1100);
  await worker.sql("UPDATE accounts SET state = ?, version = ? WHERE user_id = 'restored'", backup.state, backup.version);
  await worker.sql("DELETE FROM revoked_tokens");
  await worker.configured({ RESTORED_AT: String(Math.floor(Date.now() / 1000)) }, async () => {
    failure(await shop.status("restored"), 401, "invalid_token");
    await shop.auth();
    failure(await shop.verify("restored", used[0]), 400, "code_already_used");
    failure(await shop.verify("restored", used[1]), 400, "invalid_code");
    failure(await shop.verify("restored", used[2]), 400, "invalid_code");
    // What is made from then on works.
    const { recovery_codes: fresh } = success(await shop.recoveryCodes("restored"));
    success(await shop.verify("restored", fresh[0]));
  });
});

test("REL-09: the scheduled job removes what is over and nothing else", async () => {
  const now = Math.floor(Date.now() / 1000);
  const [day, year] = [86_400, 365 * 86_400];
  const token = (id, expires) => worker.sql("INSERT INTO revoked_tokens VALUES (?, ?)", id, expires);
  const counter = (scope, start) => worker.sql("INSERT INTO send_counters VALUES (?, ?, 1)", scope, start);
  const event = (id, at) => worker.sql("INSERT INTO audit_log (at, event, outcome, request_id) VALUES (?, 'x', 'success', ?)", at, id);
  await Promise.all([token("over", now - 1), token("alive", now + 60)]);
  await Promise.all([counter("over", now - 3 * day), counter("alive", now - day)]);
  await Promise.all([event("over", now - year - 60), event("alive", now - year + 3600)]);
  const before = await worker.dumpDatabase();
  await Promise.all([worker.schedule(), worker.schedule()]);
  const after = await worker.dumpDatabase();
  for (const table of ["accounts", "clients"]) assert.deepEqual(after[table], before[table]);
  const names = ({ jti, scope, request_id: id }) => jti ?? scope ?? id;
  for (const table of ["revoked_tokens", "send_counters", "audit_log"]) {
    const gone = before[table].map(names).filter((name) => !after[table].map(names).includes(name));
    assert.deepEqual(gone, ["over"], table);
  }
});

describe("ATK-25: while the database fails", () => {
  for (const table of ["accounts", "clients", "audit_log"]) {
    test(`(without ${table}) nothing is evaluated, and afterwards everything is as before`, async () => {
      const user = `fault-${table}`;
      const app = await shop.newUser(user);
      failure(await shop.verify(user, app.wrongCode()), 400, "invalid_code");
      await worker.sql(`ALTER TABLE ${table} RENAME TO hidden`);
      try {
        for (const code of [app.code(), app.wrongCode()]) failure(await shop.verify(user, code), 503, "unavailable");
        failure(await worker.request("GET", "/health"), 503, "unavailable");
        await worker.schedule();
      } finally {
        await worker.sql(`ALTER TABLE hidden RENAME TO ${table}`);
      }
      success(await worker.request("GET", "/health"));
      assert.equal(failure(await shop.verify(user, app.wrongCode()), 400, "invalid_code").attempts_remaining, 3);
      success(await shop.verify(user, await app.freshCode()));
    });
  }
});

test("ATK-15: a guess is counted whether or not its sender waits for the answer", async () => {
  const app = await shop.newUser("hasty");
  const headers = { authorization: `Bearer ${shop.token}`, "content-type": "application/json" };
  await parallel(4, async () => {
    const body = JSON.stringify({ user_id: "hasty", code: app.wrongCode() });
    // Long enough for the request to arrive, mostly too short for the answer.
    await fetch(`${worker.url}/mfa/verify`, { method: "POST", headers, body, signal: AbortSignal.timeout(8) }).catch(() => {});
  });
  await sleep(500);
  const counted = (await worker.events({ client_id: shop.id, user_id: "hasty", event: "failed" })).length;
  const { attempts_remaining: left } = failure(await shop.verify("hasty", app.wrongCode()), 400, "invalid_code");
  assert.equal(left, 5 - counted - 1);
});
