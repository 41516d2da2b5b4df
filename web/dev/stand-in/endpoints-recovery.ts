// The path of a lost device: a proof, a new way, the lost ones, new codes. And the links of its e-mails.
import type { LinkView } from "../../src/session/protocol.ts";
import { concludeRecovery, during, proved, removeWay, type Endpoints } from "./endpoints.ts";
import { deliver, knock, Refusal, tryDelivered, tryRecoveryCode } from "./rules.ts";
import { factors, surroundings, viewOf } from "./view.ts";
import { now, type World } from "./world.ts";

const HOUR = 60 * 60;

function recovered(world: World, by: string) {
  proved(world, by);
  world.session.recovered = true;
  world.session.stage = "enrol";
  world.session.recovery = null;
}

export function linkView(world: World): LinkView {
  const { link } = world;
  const early = link.state === "ready" && link.kind === "recover" && link.opens_at !== null && link.opens_at > now(world);
  return { ...surroundings(world), kind: link.kind, state: early ? "early" : link.state, opens_at: link.opens_at, server_time: now(world) };
}

export function addRecoveryEndpoints(endpoints: Endpoints) {
  endpoints.set("POST /recover", ({ world, body }) => {
    during(world, "recover", "verify");
    knock(world, "recovery");
    const type = body.method as "link" | "email" | "sms";
    const to = type === "sms" ? world.user.phone : world.user.email;
    if (!to) throw new Refusal(422, "destination_missing");
    const delivered = deliver(world, type === "sms" ? "sms" : "email", to, 8, type === "link" ? 900 : 600);
    const { delay_hours } = world.client;
    const opens_at = type === "link" && delay_hours > 0 ? now(world) + delay_hours * HOUR : null;
    world.session.recovery = { type, delivered, opens_at };
    return viewOf(world);
  });

  endpoints.set("POST /recover/verify", ({ world, body }) => {
    during(world, "recover", "verify");
    const code = String(body.code ?? "").replace(/[\s-]/g, "");
    if (body.method === "recovery_code") tryRecoveryCode(world, code);
    else tryDelivered(world, world.session.recovery?.delivered, code, "recovery");
    recovered(world, "recovery_code");
    return viewOf(world);
  });

  endpoints.set("POST /lost", ({ world, body }) => {
    during(world, "lost");
    const ids = body.factor_ids as string[];
    const former = factors(world).filter(({ added_here }) => !added_here);
    for (const { id } of former) if (ids.includes(id)) removeWay(world, id);
    concludeRecovery(world);
    return viewOf(world);
  });

  endpoints.set("POST /link", ({ world }) => linkView(world));

  endpoints.set("POST /link/stop", ({ world }) => {
    if (world.link.state === "ready") world.link.state = "stopped";
    return linkView(world);
  });

  // The browser that presses keeps the session; server.ts hands it the cookie.
  endpoints.set("POST /link/continue", ({ world }) => {
    const { state } = linkView(world);
    if (state !== "ready") throw new Refusal(409, "not_now");
    world.link.state = "used";
    world.session.purpose = "recover";
    recovered(world, "link");
    return viewOf(world);
  });
}
