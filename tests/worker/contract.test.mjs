// The HTTP contract as it is on the wire. tests/api/contract.rs holds every endpoint to the table of errors; here is
// what the runtime could change: methods, bodies, encodings, headers.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { failure, parallel, startWorker, success, tally } from "./harness.mjs";

const routes = {
  "/auth": ["POST"],
  "/auth/revoke": ["POST"],
  "/mfa/register": ["POST"],
  "/mfa/renew": ["POST"],
  "/mfa/verify": ["POST"],
  "/mfa/generate": ["POST"],
  "/mfa/sms": ["POST"],
  "/mfa/email": ["POST"],
  "/mfa/recovery": ["POST"],
  "/mfa/recovery-codes": ["POST"],
  "/mfa/contact": ["POST"],
  "/mfa/disable": ["POST"],
  "/mfa/status": ["GET", "HEAD"],
  "/mfa/users/ann": ["DELETE"],
  "/mfa/test/messages": ["GET", "HEAD"],
  "/mfa/test/clock": ["POST"],
  "/qrcode/ann": ["GET", "HEAD"],
  "/health": ["GET", "HEAD"],
  "/health/live": ["GET", "HEAD"],
  "/.well-known/jwks.json": ["GET", "HEAD"],
  "/admin/clients": ["GET", "HEAD", "POST"],
  "/admin/clients/none": ["GET", "HEAD", "PATCH", "DELETE"],
  "/admin/clients/none/rotate-secret": ["POST"],
  "/admin/unlock": ["POST"],
  "/admin/audit": ["GET", "HEAD"],
};
const posts = Object.keys(routes).filter((path) => routes[path].includes("POST") && path.startsWith("/mfa"));

let worker, shop;
before(async () => {
  worker = await startWorker();
  shop = await worker.newClient();
});
after(() => worker?.close());

/** A request as it is written, which fetch would not let through. `body` is text, bytes or a list of chunks. */
function raw(method, path, { headers = {}, body = [] } = {}) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(worker.url + path, { method, headers, agent: false }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const json = response.headers["content-type"]?.startsWith("application/json") && text;
        resolve({ status: response.statusCode, headers: new Headers(response.headers), text, body: json ? JSON.parse(text) : undefined });
      });
    });
    request.on("error", reject);
    [body].flat().forEach((chunk) => request.write(chunk));
    request.end();
  });
}

const bearer = (token = shop.token) => ({ authorization: `Bearer ${token}` });
const json = (token) => ({ ...bearer(token), "content-type": "application/json" });

/** What every answer has. */
function secured({ headers, status, next: [, path] = [] }) {
  // The keys that others verify with are the one answer that may be kept.
  const kept = status === 200 && path === "/.well-known/jwks.json";
  assert.equal(headers.get("cache-control"), kept ? "public, max-age=300" : "no-store");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.match(headers.get("strict-transport-security"), /^max-age=\d{8,}; includeSubDomains$/);
  assert.match(headers.get("x-request-id"), /^[0-9a-f]{32}$/);
  assert.equal(headers.get("access-control-allow-origin"), null);
  assert.equal(headers.get("server"), null);
  if (status === 401) assert.match(headers.get("www-authenticate"), /^(Bearer|Basic) realm="candado"/);
  if (status === 429) assert.match(headers.get("retry-after"), /^[1-9]\d*$/);
}

test("API-03: another method is answered 405 with those there are, and OPTIONS with 204", async () => {
  for (const [path, allowed] of Object.entries(routes)) {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) => !allowed.includes(method))) {
      const reply = await raw(method, path, { headers: bearer() });
      failure(reply, 405, "method_not_allowed");
      assert.deepEqual(reply.headers.get("allow").split(", ").sort(), [...allowed, "OPTIONS"].sort(), `${method} ${path}`);
      secured(reply);
    }
    const options = await raw("OPTIONS", path, { headers: { origin: "https://evil.example", "access-control-request-method": "POST" } });
    assert.equal(options.status, 204);
    assert.deepEqual(options.headers.get("allow").split(", ").sort(), [...allowed, "OPTIONS"].sort());
    secured(options);
  }
  failure(await raw("PROPFIND", "/health"), 405, "method_not_allowed");
});

test("API-03: HEAD answers as GET without a body, and is 405 where there is no GET", async () => {
  const path = `/mfa/status?user_id=ann&client_id=${shop.id}`;
  for (const target of ["/health", path, "/mfa/status", "/qrcode/ann"]) {
    const [get, head] = [await raw("GET", target, { headers: bearer() }), await raw("HEAD", target, { headers: bearer() })];
    assert.deepEqual([head.status, head.text], [get.status, ""]);
    assert.equal(head.headers.get("content-type"), get.headers.get("content-type"));
    secured(head);
  }
  assert.equal((await raw("HEAD", "/mfa/verify", { headers: bearer() })).status, 405);
});

test("ATK-19: a variant of a path is another path", async () => {
  const body = JSON.stringify({ user_id: "ann", code: "123456" });
  const variants = ["/mfa/verify/", "//mfa/verify", "/mfa//verify", "/MFA/verify", "/mfa/verify;x=1", "/mfa/verify%20", "/mfa%2Fverify"];
  for (const path of [...variants, "/v1/mfa/verify", "/mfa"]) {
    failure(await raw("POST", path, { headers: json(), body }), 404, "not_found");
  }
  // The runtime itself resolves dots, and the method is the request's, whatever a header says.
  failure(await raw("POST", "/mfa/x/../verify", { headers: json(), body }), 404, "user_not_found");
  failure(await raw("GET", "/mfa/verify", { headers: { ...json(), "x-http-method-override": "POST" } }), 405, "method_not_allowed");
});

test("API-02: a body that is no JSON object of UTF-8 text is refused", async () => {
  const good = JSON.stringify({ user_id: "ann" });
  const bodies = [
    "", " ", "null", "[]", "1", '"user_id"', "{", `${good}x`, `${good}${good}`, '{"user_id":"ann",}', "{user_id:'ann'}",
    "\u{feff}{}", '{"user_id":"ann","user_id":"bob"}', '{"user_id":NaN}', '{"user_id":"\\ud800"}', '{"user_id":"a\u0000b"}',
    Buffer.from([...Buffer.from('{"user_id":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
    Buffer.from(good, "utf16le"), "[".repeat(16_000), `{"user_id":${"[".repeat(16_000)}`, gzipSync(good),
  ];
  for (const path of posts) {
    for (const body of bodies) secured(await refused(path, { headers: json(), body }, 400, "invalid_request"));
  }
  const form = "application/x-www-form-urlencoded";
  for (const type of ["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/json; charset=latin1", form, "json", ""]) {
    const headers = { ...bearer(), "content-type": type };
    for (const path of posts) await refused(path, { headers, body: good }, 415, "unsupported_media_type");
  }
  failure(await raw("POST", "/mfa/status", { headers: json(), body: good }), 405, "method_not_allowed");
});

async function refused(path, options, status, error) {
  const reply = await raw("POST", path, options);
  failure(reply, status, error);
  return reply;
}

test("a compressed body is not unpacked", async () => {
  const body = gzipSync(JSON.stringify({ user_id: "ann", code: "123456" }));
  const bomb = gzipSync(Buffer.alloc(10_000_000, " "));
  for (const encoding of ["gzip", "deflate", "br", "identity, gzip"]) {
    for (const packed of [body, bomb]) {
      await refused("/mfa/verify", { headers: { ...json(), "content-encoding": encoding }, body: packed }, 400, "invalid_request");
    }
  }
});

test("API-02: 16 KiB are read and one byte more is refused, announced or streamed", async () => {
  const padded = (length) => {
    const body = JSON.stringify({ user_id: "nobody", code: "123456" });
    return body.slice(0, -1) + " ".repeat(length - body.length) + "}";
  };
  const streamed = (text) => text.match(/.{1,1000}/gs);
  for (const form of [(text) => text, streamed]) {
    const length = (text) => (form === streamed ? {} : { "content-length": Buffer.byteLength(text) });
    const post = (text) => raw("POST", "/mfa/verify", { headers: { ...json(), ...length(text) }, body: form(text) });
    failure(await post(padded(16 * 1024)), 404, "user_not_found");
    for (const bytes of [16 * 1024 + 1, 100_000, 1_000_000]) failure(await post(padded(bytes)), 413, "payload_too_large");
    // ATK-82: who goes on sending for long is cut off, sometimes before the answer arrives. The Worker serves on.
    const answers = worker.logs().length;
    await post(padded(10_000_000)).catch(() => {});
    for (let wait = 0; wait < 50 && worker.logs().length === answers; wait++) await new Promise((go) => setTimeout(go, 100));
    assert.match(worker.logs()[answers], /"payload_too_large"/);
    assert.equal((await worker.request("GET", "/health")).status, 200);
  }
});

test("GET /mfa/status takes a query", async () => {
  await shop.newUser("dora");
  assert.equal(success(await shop.status("dora")).mfa_enabled, true);
  assert.equal(success(await shop.status("unknown")).state, "none");
  const status = (query) => worker.request("GET", `/mfa/status${query}`, { token: shop.token });
  failure(await status(""), 400, "invalid_request");
  failure(await status("?user_id=dora&user_id=ann"), 400, "invalid_request");
  failure(await status("?user_id=dora&code=123456"), 400, "invalid_request");
  failure(await status(`?user_id=dora&access_token=${shop.token}`), 400, "invalid_request");
  failure(await status("?user_id=dora&client_id=other"), 403, "client_mismatch");
});

test("GET /mfa/status takes the same as a JSON body, as the original API has it", async () => {
  await shop.newUser("emil");
  const body = JSON.stringify({ user_id: "emil", client_id: shop.id });
  const headers = { ...json(), "content-length": Buffer.byteLength(body) };
  const reply = await raw("GET", "/mfa/status", { headers, body });
  assert.equal(success(reply).mfa_enabled, true);
});

test("API-06: plain http is refused wherever it pretends to come from", async () => {
  for (const host of ["mfa.example.com", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"]) {
    const reply = await raw("GET", "/health", { headers: { host, "x-forwarded-proto": "https", forwarded: "proto=https" } });
    failure(reply, 403, "https_required");
    secured(reply);
  }
});

test("ATK-63: /auth takes a form with Basic as RFC 6749 writes it, and one way of authentication only", async () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const basic = { authorization: `Basic ${Buffer.from(`${shop.id}:${shop.secret}`).toString("base64")}` };
  const grant = "grant_type=client_credentials";
  const reply = await raw("POST", "/auth", { headers: { ...form, ...basic }, body: grant });
  assert.equal(success(reply).token_type, "Bearer");
  assert.equal(reply.headers.get("pragma"), "no-cache");
  secured(reply);
  const both = `${grant}&client_id=${shop.id}&client_secret=${shop.secret}`;
  assert.equal(success(await raw("POST", "/auth", { headers: form, body: both })).expires_in, 3600);
  await refused("/auth", { headers: { ...form, ...basic }, body: both }, 400, "invalid_request");
  const wrong = { authorization: `Basic ${Buffer.from(`${shop.id}:x`).toString("base64")}` };
  const refusal = await refused("/auth", { headers: { ...form, ...wrong }, body: grant }, 401, "invalid_client");
  assert.match(refusal.headers.get("www-authenticate"), /^Basic /);
});

test("ATK-60: a token counts in the Authorization header and nowhere else", async () => {
  const path = `/mfa/status?user_id=ann`;
  for (const [target, headers] of [
    [`${path}&access_token=${shop.token}`, {}],
    [path, { cookie: `token=${shop.token}; access_token=${shop.token}` }],
    [path, { authorization: `Basic ${Buffer.from(`x:${shop.token}`).toString("base64")}` }],
    [path, { authorization: shop.token }],
    [path, { authorization: `Bearer  ${shop.token}` }],
    [path, { authorization: `Bearer ${shop.token} ` + "x" }],
    [path, { authorization: [`Bearer ${shop.token}`, `Bearer ${shop.token}`].join(", ") }],
    [path, { "x-access-token": shop.token, "proxy-authorization": `Bearer ${shop.token}` }],
  ]) {
    const reply = await raw("GET", target, { headers });
    failure(reply, 401, "invalid_token");
    secured(reply);
  }
});

test("ATK-59: a forged token is refused", async () => {
  const [header, payload, signature] = shop.token.split(".");
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  const heads = JSON.parse(Buffer.from(header, "base64url"));
  const lastSymbol = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const turned = lastSymbol[lastSymbol.indexOf(signature.at(-1)) ^ 1];
  const tokens = [
    `${encode({ ...heads, alg: "none" })}.${payload}.`,
    `${encode({ ...heads, alg: "nOnE" })}.${payload}.${signature}`,
    `${header}.${encode({ ...claims, sub: "other", client_id: "other" })}.${signature}`,
    `${header}.${encode({ ...claims, exp: 9_999_999_999 })}.${signature}`,
    `${header}.${payload}.`, `${header}.${payload}`, `${header}.${payload}.${signature}.`, `${header}.${payload}.${signature}=`,
    // TOK-13: the same signature in another spelling would slip past the list of revoked tokens.
    `${header}.${payload}.${signature.slice(0, -1)}${turned}`,
    "", ".", "..", "a.b.c", "null", "x".repeat(8000),
  ];
  for (const token of tokens) failure(await raw("GET", "/mfa/status?user_id=ann", { headers: bearer(token) }), 401, "invalid_token");
});

test("ATK-51: a thousand odd requests cause no error of ours, and every answer is of the contract's form", async (t) => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  t.diagnostic(`SEED=${seed}`);
  const random = seeded(seed);
  const requests = Array.from({ length: 1000 }, () => oddRequest(random));
  const replies = [];
  const take = async () => {
    for (let next = requests.pop(); next; next = requests.pop()) replies.push({ ...(await raw(...next)), next });
  };
  await parallel(10, take);
  assert.equal(replies.length, 1000);
  for (const reply of replies) {
    assert.ok(reply.status < 500, `${JSON.stringify(reply.next)}: ${reply.text}`);
    secured(reply);
    if (reply.status >= 400 && reply.next[0] !== "HEAD") {
      assert.equal(reply.body?.status, "failure", reply.text);
      assert.match(reply.body.error, /^[a-z_]+$/);
      assert.doesNotMatch(reply.text, /panick|\.rs:|sqlite|D1_ERROR|serde|stack/i);
    }
  }
  const ids = new Set(replies.map(({ headers }) => headers.get("x-request-id")));
  assert.equal(ids.size, 1000, "every request has an id of its own");
  t.diagnostic(JSON.stringify(tally(replies)));
});

/** Park and Miller's generator: the same requests for the same seed. */
function seeded(seed) {
  let state = (seed % 2147483646) + 1;
  return (limit) => (state = (state * 48271) % 2147483647) % limit;
}

function oddRequest(random) {
  const pick = (list) => list[random(list.length)];
  const values = [
    "ann", "dora", shop.id, "", " ", "123456", "000000", "\u0000", "'; DROP TABLE accounts; --", "../../etc/passwd", "%00", "{{7*7}}",
    "é", "e\u0301", "\u200b", "١٢٣٤٥٦", "\ud83d\ude00", "x".repeat(5000), "sms", "email", "recovery_code", "+34600111222", "a@b.example",
    0, -1, 1e400, 1.5, 2 ** 53, true, null, [], {}, ["123456"], { $ne: 1 }, [[[[]]]],
  ];
  const names = ["user_id", "client_id", "code", "method", "email", "phone", "account_name", "algorithm", "digits", "period",
    "confirm", "locale", "recovery_method", "revoke_current", "access_token", "name", "settings", "__proto__", "constructor", ""];
  const path = pick([...posts, ...posts, ...Object.keys(routes), "/mfa/status?user_id=", "/qrcode/%ff", "/qrcode/a%2Fb?t=x",
    "/mfa/users/%00", "/mfa/users/%F0%9F%98%80", "/mfa/status?user_id=%E0%A4%A", "/admin/audit?limit=x&after=-1", "/%", "/x?&=&"]);
  const method = random(8) ? pick(routes[path] ?? ["GET", "POST", "DELETE"]) : pick(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
  const body = Object.fromEntries(Array.from({ length: random(5) }, () => [pick(names), pick(values)]));
  if (random(2)) Object.assign(body, { user_id: pick(values.slice(0, 3)) });
  const text = random(8) ? JSON.stringify(body) : JSON.stringify(body).slice(0, random(30));
  const token = path.startsWith("/admin") ? worker.variables.ADMIN_TOKEN : shop.token;
  const authorization = random(6) ? `Bearer ${token}` : pick(["Bearer x", "Basic eDp5", "Basic ?", ""]);
  const type = random(8) ? "application/json" : pick(["application/x-www-form-urlencoded", "text/html", ""]);
  const accept = pick(["*/*", "image/svg+xml", "x/y;q=9", ""]);
  const headers = { authorization, accept, "content-type": type, "content-length": Buffer.byteLength(text) };
  return [method, path, { headers, body: text }];
}
