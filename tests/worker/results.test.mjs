// Results that others can verify, by what others verify with: jose, when the service is gone.
import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { after, before, test } from "node:test";
import { SignJWT, UnsecuredJWT, createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { masterKey, startWorker, success } from "./harness.mjs";

let worker, shop;
before(async () => {
  worker = await startWorker();
  shop = await worker.newClient();
});
after(() => worker?.close());

const issuer = () => worker.variables.PUBLIC_URL;
const keySet = async () => success(await worker.request("GET", "/.well-known/jwks.json"));
const result = async (user, code, nonce) =>
  success(await shop.post("/mfa/verify", { user_id: user, code, result_token: true, nonce })).result_token;
const verify = (token, keys, options = {}) =>
  jwtVerify(token, createLocalJWKSet(keys), {
    algorithms: ["ES256"], typ: "candado-result+jwt", issuer: issuer(), audience: shop.id,
    requiredClaims: ["sub", "exp", "iat", "auth_time", "jti"], ...options,
  });

test("ATK-110: jose verifies a result without the service, and refuses what was made of it", async () => {
  const app = await shop.newUser("ann");
  const token = await result("ann", app.code(), "n-1");
  const keys = await keySet();
  const bank = await worker.newClient();
  await worker.close();
  const { payload, protectedHeader } = await verify(token, keys);
  assert.deepEqual(protectedHeader, { alg: "ES256", kid: keys.keys[0].kid, typ: "candado-result+jwt" });
  assert.deepEqual([payload.sub, payload.amr, payload.nonce], ["ann", ["otp"], "n-1"]);
  assert.deepEqual([payload.exp - payload.iat, payload.auth_time], [300, payload.iat]);

  const expired = new Date((payload.exp + 1) * 1000);
  await assert.rejects(verify(token, keys, { currentDate: expired }), { code: "ERR_JWT_EXPIRED" });
  await assert.rejects(verify(token, keys, { audience: bank.id }), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
  await assert.rejects(verify(token, keys, { typ: "at+jwt" }), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
  const [header, claims, signature] = token.split(".");
  const altered = Buffer.from(JSON.stringify({ ...payload, sub: "bob" })).toString("base64url");
  await assert.rejects(verify([header, altered, signature].join("."), keys), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
  await assert.rejects(verify(new UnsecuredJWT(payload).encode(), keys));
  const shared = createPublicKey({ key: keys.keys[0], format: "jwk" }).export({ type: "spki", format: "pem" });
  const confused = new SignJWT(payload).setProtectedHeader({ ...protectedHeader, alg: "HS256" });
  await assert.rejects(confused.sign(new TextEncoder().encode(shared)).then((forged) => verify(forged, keys)));

  worker = await startWorker();
  shop = await worker.newClient();
});

test("ATK-110: a key is in the set before it signs, and its results hold while the ring has it", async () => {
  const first = worker.variables.MASTER_KEYS;
  const second = masterKey("k2");
  const app = await shop.newUser("ben");
  const old = await result("ben", await app.freshCode());
  await worker.restart({ MASTER_KEYS: `${first},${second}` });
  const announced = await keySet();
  assert.equal(announced.keys.length, 2);
  await worker.restart({ MASTER_KEYS: `${second},${first}` });
  await shop.auth();
  const fresh = await result("ben", await app.freshCode());
  assert.equal(decodeProtectedHeader(fresh).kid, announced.keys[1].kid);
  await verify(fresh, announced);
  await verify(old, await keySet());
  await worker.restart({ MASTER_KEYS: second });
  await assert.rejects(verify(old, await keySet()), { code: "ERR_JWKS_NO_MATCHING_KEY" });
  await verify(fresh, await keySet());
});

test("the keys say that they may be kept", async () => {
  const { headers } = await worker.request("GET", "/.well-known/jwks.json");
  assert.equal(headers.get("cache-control"), "public, max-age=300");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
});
