// Every state of the page by name: a world, and what a person does in it. The development page lists them, the tests
// look at each of them.
import { deliver, miss } from "./rules.ts";
import { addWay, makeCodes, now, setContact, type Class, type World } from "./world.ts";
import type { Channel } from "../../src/session/protocol.ts";
import { enrolStates } from "./states-enrol.ts";
import { manageStates } from "./states-manage.ts";
import { recoverStates } from "./states-recover.ts";

/** One thing that a person, or the browser, does. */
export type Step =
  | { type: string; text: string }
  | { press: string }
  | { tick: string }
  | { wait: string }
  | { offline: true }
  | { pause: number };

/** What the browser lacks or answers, in place of a real authenticator. */
export type Stub = "no-webauthn" | "passkey-cancelled" | "passkey-waiting" | "passkey-unknown" | "passkey-exists" | "platform" | "apple" | "no-cookies";

export interface State {
  name: string;
  set?: (world: World) => void;
  stubs?: Stub[];
  steps?: Step[];
  /** How the page is opened; by the session's link otherwise. */
  entrance?: "link" | "nothing" | "other-browser";
}

export const groups: Record<string, State[]> = {
  "Common": [],
  "Verify": [],
  "Enrol": enrolStates,
  "Manage": manageStates,
  "Recover": recoverStates,
};

/** A user with everything: passkey, app, phone, number, address, codes. */
export function everything(world: World) {
  addWay(world, "passkey");
  addWay(world, "totp", { name: "Work phone" });
  addWay(world, "push");
  both(world);
}

export function both(world: World) {
  setContact(world, "sms", "+34600111222");
  setContact(world, "email", "nora@example.com");
  makeCodes(world, 7);
}

/** This browser got in that way before. */
export const last = (method: string) => (world: World) => {
  everything(world);
  world.user.last_method = method;
  world.session.auto_send = false;
};

/** Wrong codes before this session. */
export function failed(world: World, of: Class, times: number) {
  for (let time = 0; time < times; time++) {
    try {
      miss(world, of);
    } catch {
      // Each miss is a refusal.
    }
  }
}

export function sent(world: World, channel: Channel, ago = 0) {
  world.ahead -= ago;
  world.session.delivered[channel] = deliver(world, channel, channel === "sms" ? world.user.phone! : world.user.email!);
  world.ahead += ago;
}

const wrong = (times: number): Step[] =>
  Array.from({ length: times }, (): Step[] => [{ type: "code", text: "000000" }, { press: "submit" }, { wait: "input[aria-invalid=true]" }]).flat();

const chain =
  (...sets: ((world: World) => void)[]) =>
  (world: World) =>
    sets.forEach((set) => set(world));

const fault = (path: string, more: object) => (world: World) => void world.faults.push({ path, ...more });

groups.Common!.push(
  { name: "loading", set: chain(last("totp"), fault("/open", { delay: 60_000 })), steps: [{ wait: ".bone" }] },
  {
    name: "slow",
    set: chain(last("totp"), fault("/verify", { delay: 60_000 })),
    steps: [{ type: "code", text: "123456" }, { press: "submit" }, { wait: "form > .hint" }],
  },
  { name: "offline", set: last("totp"), steps: [{ type: "code", text: "123" }, { offline: true }, { wait: ".banner.warn" }] },
  {
    name: "unavailable",
    set: chain(last("totp"), fault("/verify", { status: 503, error: "unavailable" })),
    steps: [{ type: "code", text: "123456" }, { press: "submit" }, { wait: "input[aria-invalid=true]" }],
  },
  {
    name: "too-fast",
    set: chain(last("totp"), fault("/verify", { status: 429, error: "rate_limited", retry_after: 3 })),
    steps: [{ type: "code", text: "123456" }, { press: "submit" }, { wait: "input[aria-invalid=true]" }],
  },
  { name: "cannot-be-opened", set: fault("/open", { status: 503, error: "unavailable" }), steps: [{ wait: "[name=again]" }] },
  { name: "expiring", set: chain(last("totp"), (world) => void (world.session.began_at -= 3550)), steps: [{ wait: ".banner.warn" }] },
  { name: "expiring-extendable", set: chain(last("totp"), (world) => void (world.idle = 55)), steps: [{ wait: ".banner.warn" }] },
  { name: "expired", set: chain(everything, (world) => void (world.session.began_at -= 4000)) },
  { name: "already-used", set: chain(everything, (world) => void (world.session.ended = true)) },
  { name: "other-browser", set: everything, entrance: "other-browser" },
  { name: "no-session", entrance: "nothing" },
  { name: "no-cookie", set: everything, stubs: ["no-cookies"] },
  { name: "no-colour-no-logo", set: chain(last("totp"), plainBrand) },
  { name: "long-names", set: chain(last("push"), longNames) },
  { name: "success", set: chain(everything, (world) => void (world.session.stage = "done"), fault("/finish", { delay: 60_000 })) },
);

function plainBrand({ client }: World) {
  Object.assign(client, { logo_url: null, support_url: null });
}

function longNames({ client, user }: World) {
  client.name = "مرج <b>Meadow</b> & Sons Limited Liability Company of the North East";
  user.account_name = "أنا.a-very-long-account-name-without-any-space@subdomain.example";
  for (const way of user.ways) way.name = "<img src=x onerror=alert(1)> a phone with a long name";
}

groups.Verify!.push(
  { name: "verify-app", set: last("totp") },
  { name: "verify-app-8-digits", set: chain(last("totp"), ({ user }) => user.ways.forEach((way) => (way.digits = 8))) },
  { name: "verify-app-too-short", set: last("totp"), steps: [{ type: "code", text: "12345" }, { press: "submit" }, { wait: "input[aria-invalid=true]" }] },
  { name: "verify-app-wrong", set: last("totp"), steps: wrong(1) },
  { name: "verify-app-wrong-twice", set: last("totp"), steps: wrong(2) },
  { name: "verify-app-wrong-thrice", set: last("totp"), steps: wrong(3) },
  { name: "verify-app-one-left", set: last("totp"), steps: wrong(4) },
  { name: "verify-app-used", set: last("totp"), steps: [{ type: "code", text: "@used" }, { press: "submit" }, { wait: "input[aria-invalid=true]" }] },
  { name: "verify-app-closing", set: last("totp"), steps: [...wrong(4), { type: "code", text: "000000" }, { press: "submit" }, { wait: ".banner.warn" }] },
  { name: "verify-app-closed", set: chain(onlyApp, (world) => failed(world, "totp", 8)) },
  { name: "verify-app-closed-long", set: chain(onlyApp, (world) => void (world.user.counters.totp = { failures: 50, lockedUntil: now(world) + 5 * 3600 })) },
  { name: "verify-app-open-again", set: chain(last("totp"), (world) => closing(world, 3)), steps: [{ press: "other-way" }, { press: "way-totp" }, { wait: ".banner.good" }] },
  { name: "verify-app-off", set: chain(everything, (world) => void world.user.disabled.push("totp")), steps: [{ press: "other-way" }, { press: "way-totp" }] },
  { name: "verify-only-way", set: chain(onlyApp) },
  { name: "verify-text-ask", set: last("sms") },
  { name: "verify-text-sent", set: chain(last("sms"), (world) => sent(world, "sms")) },
  { name: "verify-text-wrong", set: chain(last("sms"), (world) => sent(world, "sms")), steps: wrong(1) },
  {
    name: "verify-text-used",
    set: chain(last("sms"), (world) => (sent(world, "sms"), world.session.spent.push("000000"))),
    steps: wrong(1),
  },
  { name: "verify-text-resend", set: chain(last("sms"), (world) => sent(world, "sms", 90)), steps: [{ wait: "[name=resend]" }] },
  { name: "verify-text-resent", set: chain(last("sms"), (world) => sent(world, "sms", 90)), steps: [{ press: "resend" }, { wait: ".banner.good" }] },
  { name: "verify-text-over", set: chain(last("sms"), (world) => sent(world, "sms", 400)) },
  { name: "verify-text-limit", set: chain(last("sms"), limit), steps: [{ press: "other-way" }, { press: "way-sms" }] },
  { name: "verify-text-not-delivered", set: chain(last("sms"), sending("refused")), steps: [{ press: "send" }, { wait: ".banner.bad" }] },
  { name: "verify-text-sending-down", set: chain(last("sms"), sending("down")), steps: [{ press: "send" }, { wait: ".banner.bad" }] },
  { name: "verify-text-country", set: chain(last("sms"), sending("country")), steps: [{ press: "send" }, { wait: ".banner.bad" }] },
  { name: "verify-email-ask", set: last("email") },
  { name: "verify-email-sent", set: chain(last("email"), (world) => sent(world, "email")) },
  { name: "verify-passkey", set: everything },
  { name: "verify-passkey-waiting", set: everything, stubs: ["passkey-waiting"], steps: [{ press: "use-passkey" }, { wait: ".banner.info" }] },
  { name: "verify-passkey-unfinished", set: everything, stubs: ["passkey-cancelled"], steps: [{ press: "use-passkey" }, { wait: ".banner.info" }] },
  { name: "verify-passkey-refused", set: everything, stubs: ["passkey-unknown"], steps: [{ press: "use-passkey" }, { wait: ".banner.bad" }] },
  { name: "verify-passkey-unsupported", set: (world) => void addWay(world, "passkey"), stubs: ["no-webauthn"] },
  { name: "verify-phone-ask", set: last("push") },
  { name: "verify-phone-wait", set: chain(last("push"), (world) => push(world, "pending")) },
  { name: "verify-phone-not-approved", set: chain(last("push"), (world) => push(world, "denied")) },
  { name: "verify-phone-no-answer", set: chain(last("push"), (world) => push(world, "expired")) },
  { name: "verify-phone-limit", set: chain(last("push"), (world) => void (world.user.pushClosedUntil = now(world) + 3600)), steps: [{ press: "other-way" }, { press: "way-push" }] },
  { name: "verify-recovery", set: everything, steps: [{ press: "other-way" }, { press: "way-recovery_code" }] },
  {
    name: "verify-recovery-wrong",
    set: everything,
    steps: [{ press: "other-way" }, { press: "way-recovery_code" }, { type: "code", text: "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF" }, { press: "submit" }, { wait: "input[aria-invalid=true]" }],
  },
  {
    name: "verify-recovery-used",
    set: everything,
    steps: [{ press: "other-way" }, { press: "way-recovery_code" }, { type: "code", text: "@recovery-used" }, { press: "submit" }, { wait: "input[aria-invalid=true]" }],
  },
  { name: "verify-recovery-success", set: everything, steps: recoverySteps() },
  { name: "verify-recovery-few-left", set: (world) => (everything(world), void makeCodes(world, 3)), steps: recoverySteps() },
  { name: "verify-list", set: chain(everything, (world) => failed(world, "totp", 7)), steps: [{ press: "other-way" }, { wait: "[name=lost]" }] },
  { name: "verify-none", set: () => {} },
);

function recoverySteps(): Step[] {
  return [{ press: "other-way" }, { press: "way-recovery_code" }, { type: "code", text: "@recovery" }, { press: "submit" }, { wait: ".drawing.good" }];
}

function onlyApp(world: World) {
  addWay(world, "totp");
}

function closing(world: World, left: number) {
  world.user.counters.totp = { failures: 5, lockedUntil: now(world) + left };
}

function limit(world: World) {
  world.user.sends.sms = Array.from({ length: 5 }, (_, index) => now(world) - 3000 + index * 100);
}

function sending(how: World["client"]["sending"]) {
  return (world: World) => void (world.client.sending = how);
}

function push(world: World, status: "pending" | "denied" | "expired") {
  world.session.push = { challenge_id: "a", number: "47", expires_at: now(world) + 102, status, device: "Pixel" };
}
