import assert from "node:assert/strict";
import { test } from "node:test";
import { offered, recommended, wantsSecond } from "../../../web/src/session/offers.ts";
import { best, closedUntil, fits, ordered } from "../../../web/src/session/order.ts";
import type { Factor, Method, MethodType, SessionView, WayType } from "../../../web/src/session/protocol.ts";

const NOW = 1_800_000_000;
const open = { locked_until: null, disabled: false };
const here = { webauthn: true, hostname: "mfa.example.com" };

const totp: Method = { type: "totp", digits: [6], ...open };
const sms: Method = { type: "sms", destination: "+34••••22", sent: null, closed_until: null, ...open };
const email: Method = { type: "email", destination: "n••@e•••", sent: null, closed_until: null, ...open };
const codes: Method = { type: "recovery_code", ...open };
const push: Method = { type: "push", device: "Pixel", authenticator_url: "", closed_until: null, live: null };
const passkey: Method = { type: "passkey", passkeys: [{ transports: ["internal", "hybrid"], backed_up: true }], used_here: false };
const elsewhere: Method = { type: "passkey", passkeys: [{ transports: ["internal"], backed_up: false }], used_here: false };
const all = [codes, email, sms, totp, push, passkey];

function view(methods: Method[], last_method: MethodType | null = null, passkey_rp_id = "example.com") {
  return { methods, last_method, passkey_rp_id };
}

// The twelve combinations of ways, browser and memory.
const combinations: [what: string, got: Method | null, wanted: MethodType | null][] = [
  ["everything, nothing remembered: the passkey", best(view(all), here, NOW), "passkey"],
  ["everything, the app remembered: the app", best(view(all, "totp"), here, NOW), "totp"],
  ["everything, text remembered: text", best(view(all, "sms"), here, NOW), "sms"],
  ["a recovery code is never begun with because it was used last", best(view(all, "recovery_code"), here, NOW), "passkey"],
  ["no WebAuthn: the phone", best(view(all), { ...here, webauthn: false }, NOW), "push"],
  ["no WebAuthn, the passkey remembered: the phone", best(view(all, "passkey"), { ...here, webauthn: false }, NOW), "push"],
  ["another rp id: the phone", best(view(all, null, "other.example"), here, NOW), "push"],
  ["a passkey of another device comes after the app", best(view([codes, totp, elsewhere]), here, NOW), "totp"],
  ["… but before text", best(view([codes, sms, elsewhere]), here, NOW), "passkey"],
  ["… and first where this browser used it", best(view([totp, { ...elsewhere, used_here: true } as Method]), here, NOW), "passkey"],
  ["the remembered way is closed: the next best", best(view([{ ...totp, locked_until: NOW + 9 } as Method, sms, codes], "totp"), here, NOW), "sms"],
  ["all are closed or off: none", best(view([{ ...totp, disabled: true } as Method, { ...sms, locked_until: NOW + 9 } as Method]), here, NOW), null],
];
assert.equal(combinations.length, 12);
for (const [what, got, wanted] of combinations) test(what, () => assert.equal(got?.type ?? null, wanted));

test("the list is in the order of the ways, closed ones in their places", () => {
  assert.deepEqual(ordered(view(all), here).map(({ type }) => type), ["passkey", "push", "totp", "sms", "email", "recovery_code"]);
  const closed = { ...push, closed_until: NOW + 60 } as Method;
  assert.deepEqual(ordered(view([totp, closed]), here).map(({ type }) => type), ["push", "totp"]);
});

test("a lock that is over closes nothing", () => {
  assert.equal(closedUntil({ ...totp, locked_until: NOW } as Method, NOW), null);
  assert.equal(closedUntil({ ...totp, locked_until: NOW + 1 } as Method, NOW), NOW + 1);
});

test("the limit of messages closes a way only while there is no code to be typed", () => {
  const limited = { ...sms, closed_until: NOW + 900 } as Method;
  assert.equal(closedUntil(limited, NOW), NOW + 900);
  const sent = { digits: 6, sent_at: NOW - 10, expires_at: NOW + 290, send_again_at: NOW + 50 };
  assert.equal(closedUntil({ ...limited, sent } as Method, NOW), null);
  assert.equal(closedUntil({ ...limited, sent: { ...sent, expires_at: NOW - 1 } } as Method, NOW), NOW + 900);
});

test("an rp id fits its host and what lies under it, and nothing that only ends like it", () => {
  assert.ok(fits("example.com", "example.com") && fits("example.com", "mfa.example.com"));
  assert.ok(!fits("mfa.example.com", "example.com") && !fits("example.com", "notexample.com") && !fits("ample.com", "example.com"));
});

function enrolling(types: WayType[], factors: Partial<Factor>[] = []): SessionView {
  return { enrolment: { types, full: {}, recovered: false }, factors, passkey_rp_id: "example.com" } as unknown as SessionView;
}

test("what cannot work in this browser is not offered", () => {
  const types: WayType[] = ["email", "sms", "totp", "push", "passkey"];
  assert.deepEqual(offered(enrolling(types), here, here.hostname), ["passkey", "push", "totp", "sms", "email"]);
  assert.deepEqual(offered(enrolling(types), { webauthn: false }, here.hostname), ["push", "totp", "sms", "email"]);
  assert.deepEqual(offered(enrolling(types), here, "elsewhere.example"), ["push", "totp", "sms", "email"]);
});

test("exactly one way is recommended: the passkey where this device can hold one, else the app", () => {
  assert.equal(recommended(["passkey", "totp"], { platform: true }), "passkey");
  assert.equal(recommended(["passkey", "totp"], { platform: false }), "totp");
  assert.equal(recommended(["sms", "email"], { platform: true }), "sms");
});

test("a second way is offered once, of the other kind, where it can be set up", () => {
  const one = (type: WayType): Partial<Factor> => ({ type, state: "active" });
  const both: WayType[] = ["passkey", "totp"];
  assert.ok(wantsSecond(enrolling(both, [one("totp")]), here, here.hostname));
  assert.ok(wantsSecond(enrolling(both, [one("passkey")]), here, here.hostname));
  assert.ok(!wantsSecond(enrolling(both, [one("totp"), one("passkey")]), here, here.hostname));
  assert.ok(!wantsSecond(enrolling(["totp"], [one("totp")]), here, here.hostname));
  assert.ok(!wantsSecond(enrolling(both, []), here, here.hostname));
});
