import { deliver } from "./rules.ts";
import { addWay, now, type World } from "./world.ts";
import { everything, failed, type State } from "./states.ts";

const HOUR = 60 * 60;

function recovering(world: World) {
  everything(world);
  world.session.purpose = "recover";
  world.session.stage = "recover";
}

const more = (set: (world: World) => void) => (world: World) => (recovering(world), set(world));

const sent = (type: "link" | "email" | "sms", delay = 0) =>
  more((world) => {
    const to = type === "sms" ? world.user.phone! : world.user.email!;
    const delivered = deliver(world, type === "sms" ? "sms" : "email", to, 8, type === "link" ? 900 : 600);
    world.session.recovery = { type, delivered, opens_at: delay === 0 ? null : now(world) + delay * HOUR };
  });

const link = (change: Partial<World["link"]>) => (world: World) => {
  everything(world);
  Object.assign(world.link, change);
};

const tomorrow = () => Math.floor(Date.now() / 1000) + 24 * HOUR;

export const recoverStates: State[] = [
  { name: "recover-list", set: recovering },
  {
    name: "recover-nothing",
    set: more(({ user }) => {
      user.codes.clear();
      Object.assign(user, { phone: null, email: null });
    }),
  },
  { name: "recover-from-verify", set: everything, steps: [{ press: "other-way" }, { press: "lost" }] },
  { name: "recover-code", set: recovering, steps: [{ press: "recover-recovery_code" }] },
  { name: "recover-code-wrong", set: recovering, steps: [{ press: "recover-recovery_code" }, { type: "code", text: "nonsense" }, { press: "submit" }, { wait: "input[aria-invalid=true]" }] },
  { name: "recover-code-closed", set: more((world) => failed(world, "recovery", 7)), steps: [{ press: "recover-recovery_code" }, { wait: ".banner.warn" }] },
  { name: "recover-link-sent", set: sent("link") },
  { name: "recover-link-delayed", set: sent("link", 48) },
  { name: "recover-text-sent", set: sent("sms") },
  { name: "recover-email-sent", set: sent("email") },
  { name: "link-page", set: link({}), entrance: "link" },
  { name: "link-used", set: link({ state: "used" }), entrance: "link" },
  { name: "link-expired", set: link({ state: "expired" }), entrance: "link" },
  { name: "link-early", set: link({ opens_at: tomorrow() }), entrance: "link" },
  { name: "link-stopped", set: link({ state: "stopped" }), entrance: "link" },
  { name: "stop-page", set: link({ kind: "stop" }), entrance: "link" },
  { name: "stop-stopped", set: link({ kind: "stop" }), entrance: "link", steps: [{ press: "stop" }, { wait: ".drawing.good" }] },
  {
    name: "recover-enrol",
    set: more(({ session }) => {
      session.stage = "enrol";
      session.recovered = true;
    }),
  },
  {
    name: "recover-lost",
    set: more((world) => {
      world.session.stage = "lost";
      addWay(world, "totp", { name: "New phone", added_here: true });
    }),
  },
  {
    name: "recover-lost-unticked",
    set: (world) => {
      addWay(world, "passkey");
      addWay(world, "totp", { name: "New phone", added_here: true });
      world.session.purpose = "recover";
      world.session.stage = "lost";
      world.session.recovered = true;
    },
    steps: [{ press: "remove-lost" }, { wait: "form > .error" }],
  },
];
