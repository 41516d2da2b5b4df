import { addWay, makeCodes, now, setContact, type World } from "./world.ts";
import type { State, Step } from "./states.ts";
import { deliver } from "./rules.ts";

/** The first way of an account. */
function first({ session }: World) {
  session.purpose = "enrol";
  session.stage = "enrol";
}

function over(world: World) {
  addWay(world, "totp");
  makeCodes(world, 8);
  first(world);
}

const pendingApp = (life: number) => (world: World) => {
  first(world);
  addWay(world, "totp", { state: "pending", added_here: true, expires_at: now(world) + life, last_used_at: null });
};

const pendingPhone = (life: number) => (world: World) => {
  first(world);
  addWay(world, "push", { state: "pending", added_here: true, expires_at: now(world) + life, last_used_at: null, code: "ABCD-2345" });
};

const contact = (channel: "sms" | "email") => (world: World) => {
  first(world);
  const value = channel === "sms" ? "+34600111222" : "nora@example.com";
  world.session.contact = { ...deliver(world, channel, value), value, locked: null };
};

function codes(world: World) {
  first(world);
  addWay(world, "totp", { added_here: true, last_used_at: null });
  world.session.shown = makeCodes(world);
}

function added(world: World) {
  first(world);
  addWay(world, "totp", { added_here: true, last_used_at: null });
  makeCodes(world);
}

const typed = (name: string, text: string): Step[] => [{ type: name, text }, { press: "submit" }, { wait: "input[aria-invalid=true]" }];

export const enrolStates: State[] = [
  { name: "enrol-list", set: first, stubs: ["platform"] },
  { name: "enrol-list-app-recommended", set: first },
  { name: "enrol-list-iphone", set: first, stubs: ["platform", "apple"] },
  {
    name: "enrol-list-full",
    set: (world) => {
      over(world);
      for (const name of ["A", "B", "C", "D"]) addWay(world, "totp", { name });
      setContact(world, "sms", "+34600111222");
    },
  },
  {
    name: "enrol-none",
    stubs: ["no-webauthn"],
    set: (world) => {
      first(world);
      world.client.types = ["passkey"];
    },
  },
  { name: "enrol-app", set: pendingApp(600) },
  { name: "enrol-app-cannot-scan", set: pendingApp(600), steps: [{ press: "details:last-of-type summary" }] },
  { name: "enrol-app-wrong", set: pendingApp(600), steps: typed("code", "000000") },
  { name: "enrol-app-expired", set: pendingApp(-1) },
  { name: "enrol-passkey", set: first, steps: [{ press: "add-passkey" }] },
  { name: "enrol-passkey-waiting", set: first, stubs: ["passkey-waiting"], steps: [{ press: "add-passkey" }, { press: "create-passkey" }, { wait: ".banner.info" }] },
  { name: "enrol-passkey-unfinished", set: first, stubs: ["passkey-cancelled"], steps: [{ press: "add-passkey" }, { press: "create-passkey" }, { wait: ".banner.info" }] },
  { name: "enrol-passkey-exists", set: first, stubs: ["passkey-exists"], steps: [{ press: "add-passkey" }, { press: "create-passkey" }, { wait: ".banner.info" }] },
  { name: "enrol-phone", set: pendingPhone(600) },
  { name: "enrol-phone-expired", set: pendingPhone(-1) },
  {
    name: "enrol-phone-connected",
    set: (world) => {
      first(world);
      addWay(world, "push", { id: "new-phone", added_here: true, last_used_at: null });
      makeCodes(world);
    },
    steps: [{ press: "@route enrol/added/new-phone" }],
  },
  {
    name: "enrol-passkey-added",
    set: (world) => {
      first(world);
      addWay(world, "passkey", { id: "new-passkey", name: "Chrome, Windows", added_here: true, last_used_at: null });
      makeCodes(world);
    },
    steps: [{ press: "@route enrol/added/new-passkey" }],
  },
  { name: "enrol-number", set: first, steps: [{ press: "add-sms" }] },
  { name: "enrol-number-wrong", set: first, steps: [{ press: "add-sms" }, ...typed("phone", "600 111 222")] },
  { name: "enrol-number-sent", set: contact("sms") },
  { name: "enrol-address", set: first, steps: [{ press: "add-email" }] },
  { name: "enrol-address-wrong", set: first, steps: [{ press: "add-email" }, ...typed("email", "nora at example")] },
  { name: "enrol-address-sent", set: contact("email") },
  { name: "enrol-codes", set: codes },
  { name: "enrol-codes-unticked", set: codes, steps: [{ press: "submit" }, { wait: ".tick .error" }] },
  { name: "enrol-codes-leaving", set: codes, steps: [{ press: "header button" }, { wait: "dialog[open]" }] },
  { name: "enrol-second", set: added },
  { name: "enrol-over-existing", set: over },
];
