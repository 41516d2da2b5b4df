import { makeCodes, now, addWay, type World } from "./world.ts";
import { both, everything, type State, type Step } from "./states.ts";

const DAY = 24 * 60 * 60;

function managing({ session }: World) {
  session.purpose = "manage";
  session.stage = "manage";
}

function full(world: World) {
  everything(world);
  managing(world);
  const at = now(world);
  const [passkey, app, phone] = world.user.ways;
  Object.assign(passkey!, { id: "passkey", last_used_at: at - 60 });
  Object.assign(app!, { id: "app", last_used_at: at - 21 * DAY });
  Object.assign(phone!, { id: "phone", name: "Pixel 8", last_used_at: null });
  world.user.trusted = [
    { id: "one", browser: "Chrome, Windows", created_at: at - 20 * DAY, last_used_at: at - DAY },
    { id: "two", browser: "Safari, iPhone", created_at: at - 3 * DAY, last_used_at: null },
  ];
}

const factor = (id: string): Step => ({ press: `factor-${id}` });
const more = (set: (world: World) => void) => (world: World) => (full(world), set(world));

export const manageStates: State[] = [
  { name: "manage-list", set: full },
  {
    name: "manage-list-unfinished",
    set: more((world) => {
      addWay(world, "totp", { name: "Tablet", state: "pending", expires_at: now(world) + 600 });
      world.user.ways[1]!.state = "disabled";
    }),
  },
  { name: "manage-empty", set: managing },
  { name: "manage-passkey", set: full, steps: [factor("passkey")] },
  { name: "manage-app", set: full, steps: [factor("app")] },
  { name: "manage-number", set: full, steps: [factor("sms")] },
  { name: "manage-disabled", set: more(({ user }) => void (user.ways[1]!.state = "disabled")), steps: [factor("app")] },
  {
    name: "manage-unfinished",
    set: more((world) => void addWay(world, "totp", { id: "tablet", name: "Tablet", state: "pending", expires_at: now(world) + 600 })),
    steps: [factor("tablet")],
  },
  { name: "manage-renamed", set: full, steps: [factor("app"), { type: "name", text: "Phone at home" }, { press: "save" }, { wait: ".toast" }] },
  { name: "manage-name-too-long", set: full, steps: [factor("app"), { type: "name", text: " " }, { press: "save" }, { wait: "input[aria-invalid=true]" }] },
  { name: "manage-name-taken", set: full, steps: [factor("app"), { type: "name", text: "Pixel 8" }, { press: "save" }, { wait: "input[aria-invalid=true]" }] },
  { name: "manage-remove", set: full, steps: [factor("passkey"), { press: "remove" }, { wait: "dialog[open]" }] },
  { name: "manage-removed", set: full, steps: [factor("phone"), { press: "remove" }, { press: "act" }, { wait: ".toast" }] },
  {
    name: "manage-last",
    set: (world) => {
      addWay(world, "totp", { id: "app" });
      makeCodes(world);
      managing(world);
    },
    steps: [factor("app")],
  },
  { name: "manage-changed", set: full, steps: [{ press: "@route manage/factor/gone" }, { wait: ".toast" }] },
  { name: "manage-codes", set: full, steps: [{ press: "codes" }] },
  { name: "manage-codes-none", set: more(({ user }) => user.codes.clear()), steps: [{ press: "codes" }] },
  { name: "manage-codes-new", set: full, steps: [{ press: "codes" }, { press: "make-codes" }, { wait: "dialog[open]" }] },
  { name: "manage-codes-shown", set: more((world) => void (world.session.shown = makeCodes(world))) },
  { name: "manage-browsers", set: full, steps: [{ press: "browsers" }] },
  { name: "manage-browsers-none", set: more(({ user }) => void (user.trusted = [])), steps: [{ press: "browsers" }] },
  { name: "manage-turn-off", set: full, steps: [{ press: "turn-off" }, { wait: "dialog[open]" }] },
  {
    name: "manage-turn-off-confirm",
    set: more(({ user }) => void (user.last_method = "totp")),
    steps: [{ press: "turn-off" }, { press: "act" }, { wait: "input[name=code]" }],
  },
  {
    name: "manage-turned-off",
    set: more((world) => void (world.session.verified_at = now(world))),
    steps: [{ press: "turn-off" }, { press: "act" }, { wait: ".toast" }],
  },
  { name: "manage-verify-first", set: (world) => (everything(world), void (world.session.purpose = "manage")) },
  { name: "manage-both", set: (world) => (both(world), managing(world)) },
];
