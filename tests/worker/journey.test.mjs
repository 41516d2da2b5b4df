// What a user goes through, from the first QR code to the second phone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import jsqr from "jsqr";
import { PNG } from "pngjs";
import { Authenticator, parseOtpauth } from "./authenticator.mjs";
import { failure, sleep, startWorker, success } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker()));
after(() => worker?.close());

/** What a phone's camera reads from the picture behind the link. */
async function scan(link) {
  const url = link.replace("https://mfa.example.com", worker.url);
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "image/png");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("referrer-policy"), "no-referrer");
  const { data, width, height } = PNG.sync.read(Buffer.from(await response.arrayBuffer()));
  return jsqr.default(new Uint8ClampedArray(data), width, height).data;
}

test("a user enrols, logs in, loses the phone, recovers by e-mail, binds another and logs in", async () => {
  const shop = await worker.newClient({}, "Tienda & Café");
  const email = "ann@example.com";

  const enrolled = success(await shop.register("ann", { email, account_name: "ann@example.com" }));
  assert.equal(enrolled.state, "pending");
  const scanned = await scan(enrolled.qr_code_url);
  assert.equal(scanned, enrolled.otpauth_url);
  assert.deepEqual(parseOtpauth(scanned), {
    prefix: "Tienda & Café",
    account: "ann@example.com",
    secret: enrolled.secret,
    issuer: "Tienda & Café",
    algorithm: "SHA1",
    digits: 6,
    period: 30,
  });

  const phone = new Authenticator(scanned);
  assert.equal(success(await shop.status("ann")).mfa_enabled, false);
  assert.equal(success(await shop.verify("ann", await phone.freshCode())).method, "totp");
  assert.equal(success(await shop.status("ann")).mfa_enabled, true);
  assert.equal((await fetch(enrolled.qr_code_url.replace("https://mfa.example.com", worker.url))).status, 404);

  const code = await phone.freshCode();
  success(await shop.verify("ann", code));
  const used = failure(await shop.verify("ann", code), 400, "code_already_used");
  assert.ok(used.retry_after >= 1 && used.retry_after <= 60, JSON.stringify(used));

  for (const left of [4, 3, 2, 1, 0]) {
    const wrong = failure(await shop.verify("ann", phone.wrongCode()), 400, "invalid_code");
    assert.equal(wrong.attempts_remaining, left);
  }
  const locked = await shop.verify("ann", await phone.freshCode());
  assert.ok(failure(locked, 429, "locked").retry_after <= 60);
  assert.equal(locked.headers.get("retry-after"), String(locked.body.retry_after));

  // The phone is gone. The lock of the app does not lock recovery.
  success(await shop.recovery("ann", "email"));
  const recovery = worker.codeSentTo(email);
  assert.match(recovery, /^\d{8}$/);
  assert.equal(success(await shop.verify("ann", recovery)).method, "recovery");
  const renewed = success(await shop.renew("ann", { revoke_current: true }));
  const newPhone = new Authenticator(await scan(renewed.qr_code_url));
  assert.notEqual(newPhone.secret, phone.secret);
  // The mark of the former lock goes right after the answer.
  await sleep(200);
  success(await shop.verify("ann", await newPhone.freshCode()));
  success(await shop.verify("ann", await newPhone.freshCode()));
  failure(await shop.verify("ann", phone.code()), 400, "invalid_code");
  failure(await shop.verify("ann", recovery), 400, "code_already_used");
});

for (const algorithm of ["SHA1", "SHA256", "SHA512"]) {
  for (const digits of [6, 8]) {
    for (const period of [30, 60]) {
      test(`TOTP-01: otplib and Candado agree on ${algorithm}, ${digits} digits, ${period} s`, async () => {
        const shop = await worker.newClient();
        const enrolled = success(await shop.register("ann", { algorithm, digits, period }));
        const phone = new Authenticator(await scan(enrolled.qr_code_url));
        assert.deepEqual([phone.algorithm, phone.digits, phone.period], [algorithm, digits, period]);
        assert.equal(phone.secret.length, { SHA1: 32, SHA256: 52, SHA512: 103 }[algorithm]);
        const [first, second] = [await phone.freshCode(), await phone.freshCode()];
        failure(await shop.verify("ann", phone.wrongCode()), 400, "invalid_code");
        success(await shop.verify("ann", first));
        success(await shop.verify("ann", second));
        // TOTP-06: what lies before the last accepted step is used up.
        failure(await shop.verify("ann", first), 400, "code_already_used");
      });
    }
  }
}

test("a code by SMS and one by e-mail log a user in, each once", async () => {
  const shop = await worker.newClient({ sms_domain: "shop.example", locale: "es" });
  const [phone, email] = ["+34600111222", "bob@example.com"];
  await shop.newUser("bob", { phone, email });

  const sent = success(await shop.sms("bob"));
  assert.equal(sent.message, "Code sent by SMS");
  assert.ok(!sent.destination.includes("600111"), sent.destination);
  const message = worker.sandbox.messages({ channel: "sms", to: phone }).at(-1);
  const code = worker.codeSentTo(phone);
  assert.ok(message.text.endsWith(`\n@shop.example #${code}`), message.text);
  assert.equal(success(await shop.verify("bob", code)).method, "sms");
  failure(await shop.verify("bob", code), 400, "code_already_used");
  failure(await shop.sms("bob"), 429, "send_limited");

  assert.equal(success(await shop.email("bob")).message, "Code sent by email");
  assert.equal(success(await shop.verify("bob", worker.codeSentTo(email), "email")).method, "email");
  failure(await shop.verify("bob", worker.codeSentTo(email)), 400, "code_already_used");
});

test("a code handed over by the application itself is good once", async () => {
  const shop = await worker.newClient();
  await shop.newUser("eve");
  const { code, expires_in: expiresIn } = success(await shop.generate("eve"));
  assert.equal(expiresIn, 300);
  assert.equal(success(await shop.verify("eve", code)).method, "generated");
  failure(await shop.verify("eve", code), 400, "code_already_used");
});

test("REC-08: recovery codes are good once each and die with the next set", async () => {
  const shop = await worker.newClient();
  await shop.newUser("carol");
  const { recovery_codes: codes, remaining } = success(await shop.recoveryCodes("carol"));
  assert.deepEqual([new Set(codes).size, remaining], [10, 10]);
  assert.equal(success(await shop.verify("carol", codes[0])).method, "recovery_code");
  failure(await shop.verify("carol", codes[0]), 400, "code_already_used");
  // REC-09: as people type it.
  success(await shop.verify("carol", codes[1].toLowerCase().replaceAll("-", " ").replaceAll("0", "o")));
  assert.equal(success(await shop.status("carol")).recovery_codes_remaining, 8);
  const next = success(await shop.recoveryCodes("carol")).recovery_codes;
  failure(await shop.verify("carol", codes[2]), 400, "invalid_code");
  success(await shop.verify("carol", next[2]));
});

test("a user who turns MFA off keeps nothing that verifies", async () => {
  const shop = await worker.newClient();
  const app = await shop.newUser("dan", { phone: "+34600111333" });
  const { recovery_codes: codes } = success(await shop.recoveryCodes("dan"));
  success(await shop.sms("dan"));
  assert.equal(success(await shop.disable("dan")).message, "MFA disabled for user");
  for (const code of [app.code(), worker.codeSentTo("+34600111333"), codes[0]]) {
    failure(await shop.verify("dan", code), 409, "mfa_not_enabled");
  }
  assert.deepEqual(success(await shop.status("dan")).methods, []);
  assert.equal((await worker.request("DELETE", "/mfa/users/dan", { token: shop.token })).status, 204);
  failure(await shop.verify("dan", app.code()), 404, "user_not_found");
});
