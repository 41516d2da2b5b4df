// A number or an address, on file once its code came back.
import type { Channel } from "../../src/session/protocol.ts";
import { during, wayAdded, type Endpoints } from "./endpoints.ts";
import { deliver, Refusal, tryDelivered } from "./rules.ts";
import { pendingWay, viewOf } from "./view.ts";
import { setContact, type World } from "./world.ts";

function begin(world: World, channel: Channel, value: string) {
  const way = pendingWay(world);
  const delivered = deliver(world, channel, value);
  world.user.ways = world.user.ways.filter((one) => one !== way);
  world.session.contact = { ...delivered, value, locked: null };
  return viewOf(world);
}

export function addContactEndpoints(endpoints: Endpoints) {
  endpoints.set("POST /contact", ({ world, body }) => {
    during(world, "enrol", "manage");
    if (body.phone !== undefined) {
      const phone = String(body.phone);
      if (!/^\+[1-9]\d{7,14}$/.test(phone)) throw new Refusal(400, "invalid_request", { field: "phone" });
      return begin(world, "sms", phone);
    }
    const email = String(body.email ?? "");
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) throw new Refusal(400, "invalid_request", { field: "email" });
    return begin(world, "email", email);
  });

  endpoints.set("POST /contact/send", ({ world }) => {
    const { contact } = world.session;
    if (!contact) throw new Refusal(409, "not_now");
    return begin(world, contact.channel, contact.value);
  });

  endpoints.set("POST /contact/confirm", ({ world, body }) => {
    const { contact } = world.session;
    if (!contact) throw new Refusal(409, "not_now");
    tryDelivered(world, contact, String(body.code ?? ""));
    setContact(world, contact.channel, contact.value, true);
    world.session.contact = null;
    return wayAdded(world, contact.channel);
  });
}
