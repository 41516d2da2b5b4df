import assert from "node:assert/strict";
import { describe, it, mock, type TestContext } from "node:test";
import { inspect } from "node:util";
import {
  AuthenticationError,
  Candado,
  CandadoError,
  type CandadoOptions,
  CodeRefused,
  ConflictError,
  DeliveryError,
  ForbiddenError,
  InvalidRequestError,
  LockedError,
  NotFoundError,
  RateLimitedError,
  UnavailableError,
} from "../src/index.js";
import { failure, json, Service, silence, success, unauthorized } from "./service.js";

const status = json(200, { mfa_enabled: true, state: "active", methods: ["totp"], recovery_codes_remaining: 10 });
const verified = json(200, { status: "success", message: "Code verified successfully", method: "totp" });
const sent = json(200, { status: "success", message: "Code sent by SMS", expires_in: 300, destination: "+34•12" });

/** Makes Date and setTimeout the test's own. Timers end as soon as everything waits for them. */
function ownTime(t: TestContext): { advance(seconds: number): void; slept: number[] } {
  mock.timers.enable({ apis: ["Date"], now: 1_760_000_000_000 });
  const slept: number[] = [];
  const real = globalThis.setTimeout;
  const faked = mock.method(globalThis, "setTimeout", (callback: () => void, milliseconds = 0) => {
    slept.push(milliseconds / 1000);
    mock.timers.tick(milliseconds);
    return real(callback, 0);
  });
  t.after(() => {
    faked.mock.restore();
    mock.timers.reset();
  });
  return { advance: (seconds) => mock.timers.tick(seconds * 1000), slept };
}

async function rejection(promise: Promise<unknown>): Promise<CandadoError> {
  const error = await promise.then(() => assert.fail("not refused"), (thrown: unknown) => thrown);
  assert.ok(error instanceof CandadoError, inspect(error));
  return error;
}

describe("requests and results", () => {
  const body = (service: Service) => service.asked.at(-1)?.body;

  it("are the contract's, in camelCase", async () => {
    const service = new Service().answers(
      json(200, { qr_code_url: "q", secret: "S", otpauth_url: "o", state: "pending", expires_at: 5 }),
      json(200, { status: "success", email: "a•@x.io", phone: null }),
    );
    const mfa = service.client({ baseUrl: "https://mfa.example.com/base/" });
    const enrolment = await mfa.register("user123", { accountName: "Ann", digits: 8, confirm: false });
    assert.deepEqual(enrolment, { qrCodeUrl: "q", secret: "S", otpauthUrl: "o", state: "pending", expiresAt: 5 });
    assert.deepEqual(body(service), { user_id: "user123", account_name: "Ann", digits: 8, confirm: false });
    assert.equal(service.asked[1]?.authorization, "Bearer t1");
    assert.deepEqual(service.paths, ["/base/auth", "/base/mfa/register"]);

    assert.deepEqual(await mfa.setContact("user123", { phone: null }), { email: "a•@x.io", phone: null });
    assert.deepEqual(body(service), { user_id: "user123", phone: null });
  });

  // What a browser gave goes on as it is.
  const credential = { id: "x", rawId: "x", type: "public-key", response: { clientDataJSON: "e" } } as const;

  it("are renamed in lists, too, and what is for a browser is not", async () => {
    const publicKey = { rp: { id: "shop.example" }, pubKeyCredParams: [{ type: "public-key", alg: -7 }] };
    const service = new Service().answers(
      json(200, { factors: [{ id: "f", type: "totp", last_used_at: 5 }], recovery_codes_remaining: 1, phone: null, email: null }),
      json(200, { challenge_id: "c", expires_in: 300, publicKey }),
    );
    const mfa = service.client();
    assert.deepEqual((await mfa.factors("u")).factors, [{ id: "f", type: "totp", lastUsedAt: 5 }]);
    assert.deepEqual(await mfa.passkeyChallenge("u"), { challengeId: "c", expiresIn: 300, publicKey });
  });

  it("reach every endpoint", async () => {
    const service = new Service();
    const mfa = service.client();
    const calls: [() => Promise<unknown>, string, unknown][] = [
      [() => mfa.register("u"), "POST /mfa/register", { user_id: "u" }],
      [() => mfa.renew("u", { revokeCurrent: true, code: "123456" }), "POST /mfa/renew", { user_id: "u", revoke_current: true, code: "123456" }],
      [() => mfa.sendSms("u", { locale: "es" }), "POST /mfa/sms", { user_id: "u", locale: "es" }],
      [() => mfa.sendEmail("u"), "POST /mfa/email", { user_id: "u" }],
      [() => mfa.generateCode("u"), "POST /mfa/generate", { user_id: "u" }],
      [() => mfa.recover("u", "email"), "POST /mfa/recovery", { user_id: "u", recovery_method: "email" }],
      [() => mfa.recoveryCodes("u"), "POST /mfa/recovery-codes", { user_id: "u" }],
      [
        () => mfa.createSession("u", { purpose: "verify", returnUrl: "https://shop.example/done", state: "s" }),
        "POST /mfa/sessions",
        { user_id: "u", purpose: "verify", return_url: "https://shop.example/done", state: "s" },
      ],
      [() => mfa.getSessionResult("c1"), "POST /mfa/sessions/result", { code: "c1" }],
      [() => mfa.status("a&b+c"), "GET /mfa/status?user_id=a%26b%2Bc", undefined],
      [() => mfa.setContact("u", { email: "a@x.io" }), "POST /mfa/contact", { user_id: "u", email: "a@x.io" }],
      [() => mfa.disable("u"), "POST /mfa/disable", { user_id: "u" }],
      [() => mfa.deleteUser("a/b?c#d"), "DELETE /mfa/users/a%2Fb%3Fc%23d", undefined],
      [() => mfa.deleteUser("u", { code: "123456" }), "DELETE /mfa/users/u", { code: "123456" }],
      [() => mfa.importFactor("u", { otpauthUrl: "otpauth://x" }), "POST /mfa/import", { user_id: "u", otpauth_url: "otpauth://x" }],
      [() => mfa.factors("u"), "GET /mfa/factors?user_id=u", undefined],
      [() => mfa.addFactor("u", { name: "Tablet" }), "POST /mfa/factors", { user_id: "u", name: "Tablet", type: "totp" }],
      [() => mfa.renameFactor("u", "f/1", "Phone"), "PATCH /mfa/factors/f%2F1", { user_id: "u", name: "Phone" }],
      [() => mfa.removeFactor("u", "f1", { challengeId: "c", credential }), "DELETE /mfa/factors/f1", { user_id: "u", challenge_id: "c", credential }],
      [() => mfa.passkeyOptions("u", { name: "ann", code: "123456" }), "POST /mfa/passkeys/options", { user_id: "u", name: "ann", code: "123456" }],
      [() => mfa.registerPasskey("u", { challengeId: "c", credential }), "POST /mfa/passkeys", { user_id: "u", challenge_id: "c", credential }],
      [() => mfa.passkeyChallenge("u"), "POST /mfa/passkeys/challenge", { user_id: "u" }],
      [() => mfa.verifyPasskey("u", { challengeId: "c", credential, remember: true }), "POST /mfa/verify", { user_id: "u", challenge_id: "c", credential, remember: true }],
      [() => mfa.checkTrustedDevice("u", "v"), "POST /mfa/trusted-devices/check", { user_id: "u", trusted_device: "v" }],
      [() => mfa.trustedDevices("u"), "GET /mfa/trusted-devices?user_id=u", undefined],
      [() => mfa.forgetTrustedDevices("u", { id: "d" }), "DELETE /mfa/trusted-devices", { user_id: "u", id: "d" }],
      [() => mfa.advanceTestClock(60), "POST /mfa/test/clock", { advance_seconds: 60 }],
      [() => mfa.revokeToken(), "POST /auth/revoke", { access_token: "t1" }],
    ];
    for (const [call, line, sentBody] of calls) {
      service.answers(line.startsWith("DELETE") ? () => new Response(null, { status: 204 }) : success);
      await call();
      const { method, path } = service.asked.at(-1)!;
      assert.equal(`${method} ${path}`, line);
      assert.deepEqual(body(service), sentBody, line);
    }
  });

  it("list what a test client would have sent", async () => {
    const listed = { messages: [{ user_id: "u", channel: "sms", purpose: "verify", to: "+34600111222", subject: null, text: "t", code: "123456", sent_at: 5 }] };
    const service = new Service().answers(json(200, listed), json(200, { messages: [] }));
    const [message] = await service.client().testMessages({ userId: "a&b" });
    assert.deepEqual(message, { userId: "u", channel: "sms", purpose: "verify", to: "+34600111222", subject: null, text: "t", code: "123456", sentAt: 5 });
    assert.equal(service.paths.at(-1), "/mfa/test/messages?user_id=a%26b");
    assert.deepEqual(await service.client().testMessages(), []);
  });

  it("hand the user's code on with every change that takes something", async () => {
    const service = new Service();
    const mfa = service.client();
    const code = "123456";
    for (const call of [
      () => mfa.renew("u", { code }),
      () => mfa.recoveryCodes("u", { code }),
      () => mfa.setContact("u", { email: null, code }),
      () => mfa.disable("u", { code }),
      () => mfa.deleteUser("u", { code }),
    ]) {
      service.answers(success);
      await call();
      assert.equal((service.asked.at(-1)?.body as { code?: string }).code, code);
    }
  });

  it("never show the secret", () => {
    assert.doesNotMatch(inspect(new Service().client(), { depth: 9 }), /secret123/);
  });

  it("go by https, or stay on this machine", () => {
    const made = (baseUrl: string) => () => new Candado({ baseUrl, clientId: "a", clientSecret: "b" });
    for (const good of ["https://mfa.example.com", "http://localhost:8787", "http://127.0.0.1:8787/", "http://[::1]:1"]) {
      assert.doesNotThrow(made(good));
    }
    for (const bad of ["http://mfa.example.com", "ftp://localhost", "mfa.example.com", "https://u:p@x.io", "https://x.io?a"]) {
      assert.throws(made(bad), { name: "TypeError", message: /^baseUrl must b/ });
    }
  });
});

describe("a client of the environment", () => {
  const env = { CANDADO_URL: "https://mfa.example.com", CANDADO_CLIENT_ID: "app123", CANDADO_CLIENT_SECRET: "secret123" };

  it("has its address and credentials from there", async (t) => {
    const before = { ...process.env };
    t.after(() => (process.env = before));
    process.env = { ...before, ...env };
    const service = new Service().answers(status, status);
    await Candado.fromEnv({ fetch: service.fetch }).status("u");
    assert.deepEqual(service.asked[0]?.body, { client_id: "app123", client_secret: "secret123" });
    // As on Workers, where they are not the process's.
    process.env = {};
    await Candado.fromEnv({ env, fetch: service.fetch }).status("u");
  });

  it("says which variables are missing", () => {
    for (const [given, names] of [
      [{}, "CANDADO_URL and CANDADO_CLIENT_ID and CANDADO_CLIENT_SECRET"],
      [{ ...env, CANDADO_CLIENT_SECRET: "" }, "CANDADO_CLIENT_SECRET"],
    ] as const) {
      assert.throws(() => Candado.fromEnv({ env: given }), { name: "TypeError", message: `${names} must be set in the environment` });
    }
  });
});

describe("a client with an API key", () => {
  const key = { baseUrl: "https://mfa.example.com", apiKey: "cdo_shop.k7qmzt3a_secret" };

  it("shows it in the place of a token, and asks for none", async () => {
    const service = new Service().answers(status, status);
    await new Candado({ ...key, fetch: service.fetch }).status("u");
    const env = { CANDADO_URL: key.baseUrl, CANDADO_API_KEY: key.apiKey };
    const mfa = Candado.fromEnv({ env, fetch: service.fetch });
    await mfa.status("u");
    await mfa.revokeToken();
    assert.deepEqual(service.asked.map(({ authorization }) => authorization), [`Bearer ${key.apiKey}`, `Bearer ${key.apiKey}`]);
  });

  it("gives up when it is refused", async () => {
    const service = new Service().answers(unauthorized);
    await assert.rejects(new Candado({ ...key, fetch: service.fetch }).status("u"), { code: "invalid_token" });
    assert.equal(service.asked.length, 1);
  });

  it("takes no id and secret beside it", () => {
    const both = { ...key, clientId: "a", clientSecret: "b" } as unknown as CandadoOptions;
    assert.throws(() => new Candado(both), { name: "TypeError", message: "apiKey comes in the place of clientId and clientSecret, not with them" });
  });
});

describe("arguments of the wrong kind", () => {
  const wrong = (value: unknown) => value as string;

  it("are named at once, and nothing is sent", async () => {
    const service = new Service();
    const mfa = service.client();
    for (const [call, message] of [
      [() => mfa.verify("u", wrong(123456)), "code must be a string that is not empty, but it is a number: leading zeros count"],
      [() => mfa.verify("u", wrong(undefined)), "code must be a string that is not empty, but it is undefined"],
      [() => mfa.verify(wrong(7), "123456"), "userId must be a string that is not empty, but it is a number"],
      [() => mfa.status(""), "userId must be a string that is not empty, but it is empty"],
      [() => mfa.deleteUser(wrong(null)), "userId must be a string that is not empty, but it is null"],
      [() => mfa.renew("u", { code: wrong(123456) }), "code must be a string that is not empty, but it is a number: leading zeros count"],
    ] as const) {
      await assert.rejects(call(), { name: "TypeError", message });
    }
    assert.deepEqual(service.asked, []);
  });

  it("are named by the constructor, before a first call", () => {
    const given = { baseUrl: "https://mfa.example.com", clientId: "a", clientSecret: "b" };
    for (const name of ["baseUrl", "clientId", "clientSecret"]) {
      const message = `${name} must be a string that is not empty, but it is undefined`;
      assert.throws(() => new Candado({ ...given, [name]: undefined }), { name: "TypeError", message });
    }
  });
});

describe("verify", () => {
  const verify = (answer: Parameters<Service["answers"]>[0], code = "123456") => {
    const service = new Service().answers(answer);
    return { service, result: service.client().verify("u", code, { method: "totp" }) };
  };

  it("says what a good code proved, and hands it on as it was typed", async () => {
    const { service, result } = verify(verified, "123 456");
    assert.deepEqual(await result, { method: "totp" });
    assert.deepEqual(service.asked.at(-1)?.body, { user_id: "u", code: "123 456", method: "totp" });
  });

  it("throws for a code that is not good, whatever is done with its result", async () => {
    for (const [answer, expected] of [
      [failure(400, "invalid_code", { attempts_remaining: 3 }), ["invalid_code", 3, undefined]],
      [failure(400, "code_already_used", { retry_after: 12 }), ["code_already_used", undefined, 12]],
      [failure(429, "locked", { retry_after: 60 }), ["locked", undefined, 60]],
      [failure(403, "factor_disabled"), ["factor_disabled", undefined, undefined]],
    ] as const) {
      const { service, result } = verify(answer);
      let letIn = false;
      const error = await rejection(result.then((anything) => { if (anything) letIn = true; }));
      assert.ok(error instanceof CodeRefused);
      const { code, attemptsRemaining, retryAfter } = error;
      assert.deepEqual([code, attemptsRemaining, retryAfter], expected);
      assert.equal(service.asked.length, 2, "asked once");
      assert.equal(letIn, false);
    }
  });

  it("takes an empty field for a wrong code", async () => {
    const { service, result } = verify(failure(400, "invalid_code", { attempts_remaining: 5 }), "");
    assert.ok((await rejection(result)) instanceof CodeRefused);
    assert.deepEqual(service.asked.at(-1)?.body, { user_id: "u", code: "", method: "totp" });
  });

  it("throws something else for what is not about the code", async () => {
    for (const answer of [failure(404, "user_not_found"), failure(409, "mfa_not_enabled"), failure(400, "invalid_request", { field: "user_id" }), failure(500, "internal")]) {
      assert.ok(!((await rejection(verify(answer).result)) instanceof CodeRefused));
    }
  });
});

describe("errors", () => {
  it("carry what the service said", async () => {
    const documentation_url = "https://mfa.example.com/docs/errors#destination_not_allowed";
    const more = { field: "phone", retry_after: 7, attempts_remaining: 2, documentation_url };
    const service = new Service().answers(failure(422, "destination_not_allowed", more));
    const error = await rejection(service.client().sendSms("u"));
    const { name, status, code, message, field, retryAfter, attemptsRemaining, documentationUrl, requestId } = error;
    assert.deepEqual(
      { name, status, code, message, field, retryAfter, attemptsRemaining, documentationUrl, requestId },
      {
        name: "DeliveryError",
        status: 422,
        code: "destination_not_allowed",
        message: "About destination_not_allowed",
        field: "phone",
        retryAfter: 7,
        attemptsRemaining: 2,
        documentationUrl: documentation_url,
        requestId: "r1",
      },
    );
  });

  it("are told apart by their class", async (t) => {
    ownTime(t);
    const kinds = {
      CodeRefused: [CodeRefused, [400, "invalid_code"], [400, "code_already_used"], [403, "factor_disabled"]],
      LockedError: [LockedError, [429, "locked"]],
      RateLimitedError: [RateLimitedError, [429, "rate_limited"], [429, "send_limited"]],
      DeliveryError: [DeliveryError, [422, "destination_missing"], [422, "destination_not_allowed"], [502, "delivery_failed"], [503, "delivery_unavailable"], [503, "channel_not_configured"]],
      AuthenticationError: [AuthenticationError, [401, "invalid_client"], [401, "something_new"]],
      ForbiddenError: [ForbiddenError, [403, "step_up_required"], [403, "account_limit_reached"], [403, "method_not_allowed"], [403, "client_mismatch"], [403, "https_required"], [403, "something_new"]],
      NotFoundError: [NotFoundError, [404, "user_not_found"]],
      ConflictError: [ConflictError, [409, "already_registered"], [409, "mfa_not_enabled"]],
      InvalidRequestError: [InvalidRequestError, [400, "invalid_request"], [405, "method_not_allowed"], [413, "payload_too_large"], [415, "unsupported_media_type"], [400, "something_new"]],
      UnavailableError: [UnavailableError, [500, "internal"], [503, "unavailable"], [599, "something_new"]],
    } as const;
    for (const [name, [kind, ...answers]] of Object.entries(kinds)) {
      for (const [status, code] of answers) {
        // Some are worth another try.
        const answer = failure(status, code);
        const error = await rejection(new Service().answers(answer, answer, answer).client().sendSms("u"));
        assert.ok(error instanceof kind, `${status} ${code} is a ${error.name}`);
        assert.equal(error.name, name);
        assert.equal(error.code, code);
      }
    }
    assert.ok(LockedError.prototype instanceof CodeRefused);
  });

  it("are no matter of who answers", async () => {
    const page = () => new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "Retry-After": "9" } });
    const away = () => new Response(null, { status: 302, headers: { Location: "https://elsewhere.example" } });
    const strange = () => new Response("[1]", { status: 200 });
    for (const [answer, status, retryAfter] of [[page, 502, 9], [away, 302, undefined], [strange, 200, undefined]] as const) {
      const error = await rejection(new Service().answers(answer).client().status("u"));
      assert.deepEqual([error.code, error.status, error.retryAfter], ["unexpected_response", status, retryAfter]);
      assert.ok(error instanceof UnavailableError);
    }
  });

  it("tell that the service is out of reach, after two more tries", async (t) => {
    ownTime(t);
    const cause = new TypeError("fetch failed");
    const no = () => Promise.reject(cause);
    const service = new Service().answers(no, no, no);
    const error = await rejection(service.client().status("u"));
    assert.deepEqual([error.name, error.code, error.status, error.cause], ["UnavailableError", "unreachable", 0, cause]);
    assert.equal(service.asked.length, 4);
  });

  it("of wrong credentials are thrown by every call", async () => {
    const service = new Service().authAnswers(failure(401, "invalid_client"), failure(401, "invalid_client"));
    const mfa = service.client();
    assert.equal((await rejection(mfa.status("u"))).code, "invalid_client");
    assert.equal((await rejection(mfa.status("u"))).code, "invalid_client");
  });
});

describe("the access token", () => {
  it("is asked for once by calls at the same time, and kept", async () => {
    const service = new Service().answers(...Array.from({ length: 21 }, () => status));
    const mfa = service.client();
    await Promise.all(Array.from({ length: 20 }, () => mfa.status("u")));
    await mfa.status("u");
    assert.equal(service.paths.filter((path) => path === "/auth").length, 1);
    assert.deepEqual(service.asked[0]?.body, { client_id: "app123", client_secret: "secret123" });
  });

  it("fails once for all that wait for it, and is asked for anew afterwards", async () => {
    const service = new Service().authAnswers(failure(500, "internal")).answers(status);
    const mfa = service.client();
    const errors = await Promise.all([1, 2, 3].map(() => rejection(mfa.status("u"))));
    assert.deepEqual(errors.map(({ code }) => code), ["internal", "internal", "internal"]);
    await mfa.status("u");
    assert.deepEqual(service.paths, ["/auth", "/auth", "/mfa/status?user_id=u"]);
  });

  it("is replaced before it expires", async (t) => {
    const time = ownTime(t);
    const service = new Service().answers(status, status, status);
    const mfa = service.client();
    await mfa.status("u");
    time.advance(3600 - 61);
    await mfa.status("u");
    time.advance(2);
    await mfa.status("u");
    const used = service.asked.filter(({ path }) => path !== "/auth").map(({ authorization }) => authorization);
    assert.deepEqual(used, ["Bearer t1", "Bearer t1", "Bearer t2"]);
  });

  it("is replaced once when it is refused, even for a send", async () => {
    const service = new Service().answers(unauthorized, sent);
    assert.deepEqual(await service.client().sendSms("u"), { expiresIn: 300, destination: "+34•12" });
    assert.deepEqual(service.asked.map(({ authorization }) => authorization), [null, "Bearer t1", null, "Bearer t2"]);
  });

  it("is not replaced a second time", async () => {
    const service = new Service().answers(unauthorized, unauthorized);
    assert.equal((await rejection(service.client().status("u"))).code, "invalid_token");
    assert.equal(service.asked.length, 4);
  });

  it("refused to many calls is replaced once", async () => {
    const service = new Service().answers(unauthorized, unauthorized, unauthorized, status, status, status);
    const mfa = service.client();
    await Promise.all([1, 2, 3].map(() => mfa.status("u")));
    assert.equal(service.paths.filter((path) => path === "/auth").length, 2);
  });

  it("is still fetched when the call that asked first gives up", async () => {
    const first = new AbortController();
    let answer = (_: Response) => {};
    const service = new Service().answers(status);
    service.authAnswers(() => new Promise((resolve) => (answer = resolve)));
    const mfa = service.client();
    const given = mfa.status("u", { signal: first.signal });
    const other = mfa.status("u");
    await new Promise(setImmediate);
    first.abort();
    await assert.rejects(given, { name: "AbortError" });
    answer(await service.token(3600)(service.asked[0]!));
    assert.equal((await other).state, "active");
    assert.deepEqual(service.paths, ["/auth", "/mfa/status?user_id=u"]);
  });

  it("request that never settles is not waited for for ever", async (t) => {
    // As on Workers, where a request's end takes its fetches along.
    const time = ownTime(t);
    const service = new Service().authAnswers(() => new Promise<never>(() => {})).answers(status);
    const mfa = service.client({ timeoutMs: 1000 });
    const signal = AbortSignal.abort(new Error("gone"));
    await assert.rejects(mfa.status("u", { signal }), { message: "gone" });
    time.advance(1);
    assert.equal((await mfa.status("u")).state, "active");
  });

  it("is revoked and forgotten", async () => {
    const service = new Service().answers(status, success, status);
    const mfa = service.client();
    await mfa.revokeToken();
    assert.deepEqual(service.paths, [], "nothing to revoke");
    await mfa.status("u");
    await mfa.revokeToken();
    assert.deepEqual(service.asked.at(-1)?.body, { access_token: "t1" });
    assert.equal(service.asked.at(-1)?.authorization, null, "the token proves itself");
    await mfa.status("u");
    assert.equal(service.asked.at(-1)?.authorization, "Bearer t2");
  });
});

describe("retries", () => {
  const limited = failure(429, "rate_limited", { retry_after: 1 });
  const unavailable = failure(503, "unavailable", { retry_after: 5 });
  const user = (call: (mfa: Candado) => Promise<unknown>) => call;
  const changes = [user((mfa) => mfa.verify("u", "123456")), user((mfa) => mfa.register("u")), user((mfa) => mfa.deleteUser("u"))];
  const sends = [user((mfa) => mfa.sendSms("u")), user((mfa) => mfa.sendEmail("u")), user((mfa) => mfa.recover("u", "sms"))];

  it("wait as long as the service says", async (t) => {
    const { slept } = ownTime(t);
    const service = new Service().answers(limited, unavailable, status);
    await service.client().status("u");
    assert.deepEqual(slept, [1, 5]);
  });

  it("are two at most", async (t) => {
    const { slept } = ownTime(t);
    const service = new Service().answers(limited, limited, limited);
    assert.equal((await rejection(service.client().status("u"))).code, "rate_limited");
    assert.deepEqual(slept, [1, 1]);
  });

  it("are not made when the wait would outlast the call", async (t) => {
    const { slept } = ownTime(t);
    const service = new Service().answers(failure(429, "rate_limited", { retry_after: 15 }));
    assert.equal((await rejection(service.client().status("u"))).retryAfter, 15);
    assert.deepEqual(slept, []);
  });

  it("of what changes something have the key of the first try", async (t) => {
    ownTime(t);
    const cutOff = () => Promise.reject(new TypeError("fetch failed"));
    const underWay = failure(409, "request_in_progress", { retry_after: 1 });
    const keys = new Set<string>();
    for (const call of [...changes, ...sends]) {
      for (const bad of [[limited, unavailable], [cutOff, underWay]]) {
        const service = new Service().answers(...bad, verified);
        await call(service.client());
        const asked = service.asked.filter(({ path }) => path !== "/auth");
        const used = new Set(asked.map(({ idempotencyKey }) => idempotencyKey));
        assert.deepEqual([asked.length, used.size], [3, 1]);
        for (const key of used) keys.add(key ?? assert.fail("no key"));
      }
    }
    assert.equal(keys.size, 2 * (changes.length + sends.length), "a new key for each call");
  });

  it("need no key where nothing changes", async () => {
    const service = new Service().answers(status);
    await service.client().status("u");
    assert.deepEqual(service.asked.map(({ idempotencyKey }) => idempotencyKey), [null, null]);
  });

  it("leave a provider that fails to the application", async (t) => {
    ownTime(t);
    for (const call of sends) {
      const service = new Service().answers(failure(503, "delivery_unavailable", { retry_after: 5 }));
      await rejection(call(service.client()));
      assert.equal(service.asked.length, 2);
    }
  });

  it("are not made of a 503 that does not ask for one, nor of other errors", async (t) => {
    ownTime(t);
    for (const answer of [failure(503, "unavailable"), failure(500, "internal"), failure(429, "locked", { retry_after: 1 })]) {
      const service = new Service().answers(answer);
      await rejection(service.client().status("u"));
      assert.equal(service.asked.length, 2);
    }
  });

  it("are made of /auth, also on the way to a send", async (t) => {
    const { slept } = ownTime(t);
    const service = new Service().authAnswers(unavailable, limited).answers(sent);
    await service.client().sendSms("u");
    assert.deepEqual(slept, [5, 1]);
    assert.deepEqual(service.paths, ["/auth", "/auth", "/auth", "/mfa/sms"]);
  });
});

describe("giving up", () => {
  it("after the timeout, which holds for the whole call", async () => {
    const before = Date.now();
    const error = await rejection(new Service().answers(silence).client({ timeoutMs: 50 }).status("u"));
    assert.deepEqual([error.name, error.code, error.status], ["UnavailableError", "timeout", 0]);
    assert.ok(Date.now() - before < 1000);
    assert.equal((await rejection(new Service().authAnswers(silence).client({ timeoutMs: 50 }).status("u"))).code, "timeout");
  });

  it("at the caller's signal, with its reason", async () => {
    const reason = new Error("the user left");
    const controller = new AbortController();
    const service = new Service().answers(silence);
    const call = service.client().sendSms("u", { signal: controller.signal });
    await new Promise(setImmediate);
    controller.abort(reason);
    await assert.rejects(call, reason);
    assert.deepEqual(service.asked[1]?.body, { user_id: "u" }, "the signal is no field");
  });

  it("while waiting to try again", async () => {
    const controller = new AbortController();
    const service = new Service().answers(failure(503, "unavailable", { retry_after: 10 }));
    const call = service.client().status("u", { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(call, { name: "AbortError" });
  });
});
