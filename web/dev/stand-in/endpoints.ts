// What each endpoint under /session does to a world. PROTOCOL.md says it in words.
import type { Channel, SessionView } from "../../src/session/protocol.ts";
import { addContactEndpoints } from "./endpoints-contact.ts";
import { addRecoveryEndpoints } from "./endpoints-recovery.ts";
import { deliver, hit, knock, newChallenge, Refusal, spendChallenge, tryDelivered, tryRecoveryCode, tryTotp } from "./rules.ts";
import { factors, pendingWay, viewOf } from "./view.ts";
import { assertion, register, type Assertion, type Registration } from "./webauthn.ts";
import { addWay, codesLeft, makeCodes, newToken, now, type Way, type World } from "./world.ts";

export interface Call {
  world: World;
  body: Record<string, unknown>;
  origin: string;
  userAgent: string;
  /** The variable part of the path. */
  id: string;
}

export type Endpoint = (call: Call) => object;
export type Endpoints = Map<string, Endpoint>;

export const endpoints: Endpoints = new Map();

const FRESH = 300;

/** Only these stages answer the endpoint; the page of another tab that is behind gets the state instead. */
export function during(world: World, ...stages: SessionView["stage"][]) {
  if (!stages.includes(world.session.stage)) throw new Refusal(409, "not_now");
}

const activeWays = (world: World, type: Way["type"]) => world.user.ways.filter((way) => way.type === type && way.state === "active");

/** The person is known: on to what the session is for. */
export function proved(world: World, by: string, userAgent = "", remember = false) {
  const { session, user, client } = world;
  session.verified_at = now(world);
  session.verified_by = by;
  if (by !== "recovery_code") user.last_method = by;
  if (session.stage === "verify") session.stage = session.purpose === "verify" ? "done" : session.purpose === "recover" ? "enrol" : session.purpose;
  if (remember && client.remember_days > 0 && by !== "email" && by !== "recovery_code") {
    const browser = /Chrome/.test(userAgent) ? "Chrome, Linux" : "Browser";
    user.trusted.push({ id: newToken(6), browser, created_at: now(world), last_used_at: null });
  }
}

/** A way is set up: it may be the first one, which brings codes, or the one that ends a recovery. */
export function wayAdded(world: World, id: string): SessionView {
  const { session, user } = world;
  const first = codesLeft(world) === 0 && session.shown === null;
  user.on = true;
  user.trusted = [];
  if (session.recovered) {
    const former = factors(world).filter(({ added_here }) => !added_here);
    if (former.length > 0) session.stage = "lost";
    else concludeRecovery(world);
  } else if (first) session.shown = makeCodes(world);
  return viewOf(world, id);
}

/** New codes, and then the result. */
export function concludeRecovery(world: World) {
  world.session.shown = makeCodes(world);
  world.session.stage = "done";
}

endpoints.set("POST /keep-open", ({ world }) => viewOf(world));

endpoints.set("POST /locale", ({ world, body }) => {
  if (body.locale !== "en" && body.locale !== "es") throw new Refusal(400, "invalid_request", { field: "locale" });
  world.session.locale = body.locale;
  return viewOf(world);
});

endpoints.set("POST /send", ({ world, body }) => {
  during(world, "verify", "manage");
  const channel = body.method as Channel;
  const to = channel === "sms" ? world.user.phone : world.user.email;
  if (!to) throw new Refusal(422, "destination_missing");
  world.session.auto_send = false;
  knock(world, "delivered");
  world.session.delivered[channel] = deliver(world, channel, to);
  return viewOf(world);
});

endpoints.set("POST /push", ({ world }) => {
  during(world, "verify", "manage");
  const { user, session } = world;
  const [phone] = activeWays(world, "push");
  if (!phone) throw new Refusal(409, "mfa_not_enabled");
  if (user.pushClosedUntil !== null && user.pushClosedUntil > now(world)) throw new Refusal(429, "send_limited", { retry_after: user.pushClosedUntil - now(world) });
  session.auto_send = false;
  const number = String(10 + Math.floor(Math.random() * 90));
  session.push = { challenge_id: newToken(), number, expires_at: now(world) + 120, status: "pending", device: phone.name };
  return viewOf(world);
});

endpoints.set("POST /passkeys/challenge", ({ world }) => {
  during(world, "verify", "manage");
  const { id, challenge } = newChallenge(world);
  const allowCredentials = activeWays(world, "passkey").map(({ credentialId, transports }) => ({ type: "public-key", id: credentialId, transports }));
  return { challenge_id: id, publicKey: { challenge, rpId: world.client.rp_id, timeout: 300_000, userVerification: "preferred", allowCredentials } };
});

endpoints.set("POST /verify", ({ world, body, origin, userAgent }) => {
  during(world, "verify", "manage");
  const { session } = world;
  const method = String(body.method);
  const code = String(body.code ?? "").replace(/[\s-]/g, "");
  switch (method) {
    case "totp":
      knock(world, "totp");
      tryTotp(world, activeWays(world, "totp"), code).last_used_at = now(world);
      break;
    case "sms":
    case "email":
      tryDelivered(world, session.delivered[method], code);
      delete session.delivered[method];
      break;
    case "recovery_code":
      tryRecoveryCode(world, code);
      break;
    case "passkey": {
      const challenge = spendChallenge(world, body.challenge_id);
      assertion(body.credential as Assertion, activeWays(world, "passkey"), { challenge, origin, rpId: world.client.rp_id }).last_used_at = now(world);
      session.used_passkey_here = true;
      break;
    }
    case "push":
      if (session.push?.challenge_id !== body.challenge_id) throw new Refusal(400, "challenge_expired");
      if (session.push?.status === "denied") throw new Refusal(400, "challenge_denied");
      if (session.push?.status !== "approved") throw new Refusal(409, "challenge_pending");
      session.push = null;
      break;
    default:
      throw new Refusal(400, "invalid_request", { field: "method" });
  }
  proved(world, method, userAgent, body.remember === true);
  return viewOf(world);
});

const CODE = ["ABCD-2345", "KLMN-6789", "PQRS-4567"];

endpoints.set("POST /factors", ({ world, body }) => {
  during(world, "enrol", "manage");
  const type = body.type as "totp" | "push";
  if (!world.client.types.includes(type)) throw new Refusal(403, "method_not_allowed");
  const before = pendingWay(world);
  if (before?.type === type && body.fresh !== true && before.expires_at! > now(world)) return viewOf(world);
  world.user.ways = world.user.ways.filter((way) => way !== before);
  world.session.contact = null;
  if (activeWays(world, type).length >= 5) throw new Refusal(409, "factor_limit_reached");
  const name = type === "totp" ? "Authenticator app" : "Phone";
  const number = activeWays(world, type).length;
  addWay(world, type, {
    name: number === 0 ? name : `${name} ${number + 1}`,
    state: "pending",
    created_at: now(world),
    last_used_at: null,
    added_here: true,
    expires_at: now(world) + 600,
    code: CODE[Math.floor(Math.random() * CODE.length)]!,
  });
  return viewOf(world);
});

endpoints.set("POST /factors/totp/confirm", ({ world, body }) => {
  during(world, "enrol", "manage");
  const way = pendingWay(world);
  if (way?.type !== "totp" || way.expires_at! <= now(world)) throw new Refusal(409, "not_now");
  knock(world, "totp");
  tryTotp(world, [way], String(body.code ?? ""));
  way.state = "active";
  return wayAdded(world, way.id);
});

endpoints.set("DELETE /pending", ({ world }) => {
  const way = pendingWay(world);
  world.user.ways = world.user.ways.filter((one) => one !== way);
  world.session.contact = null;
  return viewOf(world);
});

endpoints.set("POST /passkeys/options", ({ world }) => {
  during(world, "enrol", "manage");
  const { id, challenge } = newChallenge(world);
  const name = world.user.account_name ?? "user";
  return {
    challenge_id: id,
    publicKey: {
      challenge,
      rp: { id: world.client.rp_id, name: world.client.name },
      user: { id: newToken(32), name, displayName: name },
      pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
      timeout: 300_000,
      attestation: "none",
      authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
      excludeCredentials: activeWays(world, "passkey").map(({ credentialId, transports }) => ({ type: "public-key", id: credentialId, transports })),
    },
  };
});

endpoints.set("POST /passkeys", ({ world, body, origin }) => {
  during(world, "enrol", "manage");
  const challenge = spendChallenge(world, body.challenge_id);
  const made = register(body.credential as Registration, { challenge, origin, rpId: world.client.rp_id });
  const taken = world.user.ways.some(({ name }) => name === body.name);
  const name = taken ? `${String(body.name)} 2` : String(body.name);
  const way = addWay(world, "passkey", { ...made, name, created_at: now(world), last_used_at: null, added_here: true });
  world.session.used_passkey_here = true;
  return wayAdded(world, way.id);
});

endpoints.set("POST /recovery-codes", ({ world }) => {
  if (world.session.stage !== "done" || world.session.verified_by !== "recovery_code") during(world, "manage", "enrol");
  world.session.shown = makeCodes(world);
  return viewOf(world);
});

endpoints.set("POST /recovery-codes/done", ({ world }) => {
  world.session.shown = null;
  return viewOf(world);
});

endpoints.set("PATCH /factors/:id", ({ world, body, id }) => {
  during(world, "enrol", "manage");
  const way = world.user.ways.find((one) => one.id === id);
  if (!way) throw new Refusal(404, "not_found");
  const name = String(body.name ?? "").trim();
  if (name.length < 1 || Array.from(name).length > 40) throw new Refusal(400, "invalid_request", { field: "name" });
  if (world.user.ways.some((one) => one !== way && one.name === name)) throw new Refusal(409, "name_taken", { field: "name" });
  way.name = name;
  return viewOf(world);
});

export function removeWay(world: World, id: string) {
  const { user } = world;
  if (id === "sms") user.phone = null;
  else if (id === "email") user.email = null;
  else user.ways = user.ways.filter((way) => way.id !== id);
}

endpoints.set("DELETE /factors/:id", ({ world, id }) => {
  during(world, "manage");
  const all = factors(world);
  if (!all.some((factor) => factor.id === id)) throw new Refusal(404, "not_found");
  if (!all.some((factor) => factor.id !== id && factor.state === "active")) throw new Refusal(409, "last_factor");
  removeWay(world, id);
  world.user.trusted = [];
  return viewOf(world);
});

endpoints.set("DELETE /trusted-devices", ({ world }) => {
  during(world, "manage");
  world.user.trusted = [];
  return viewOf(world);
});

endpoints.set("DELETE /trusted-devices/:id", ({ world, id }) => {
  during(world, "manage");
  world.user.trusted = world.user.trusted.filter((device) => device.id !== id);
  return viewOf(world);
});

endpoints.set("POST /disable", ({ world }) => {
  during(world, "manage");
  const { user, session } = world;
  if (user.on && (session.verified_at ?? 0) < now(world) - FRESH) throw new Refusal(403, "step_up_required");
  Object.assign(user, { ways: [], phone: null, email: null, codes: new Map(), trusted: [], on: false });
  hit(world, "totp");
  return viewOf(world);
});

export function redirect(world: World, answer: Record<string, string>): string {
  const url = new URL(world.client.return_url);
  for (const [name, value] of Object.entries({ ...answer, state: world.client.state })) url.searchParams.set(name, value);
  return url.href;
}

endpoints.set("POST /finish", ({ world }) => {
  const { session } = world;
  const added = session.purpose === "enrol" && factors(world).some(({ added_here, state }) => added_here && state === "active");
  if (session.stage !== "done" && session.stage !== "manage" && !added) throw new Refusal(409, "not_now");
  session.shown = null;
  session.stage = "done";
  session.result = newToken(24);
  return { redirect: redirect(world, { code: session.result }) };
});

endpoints.set("POST /cancel", ({ world }) => {
  world.session.ended = true;
  return { redirect: redirect(world, { error: "access_denied" }) };
});

addContactEndpoints(endpoints);
addRecoveryEndpoints(endpoints);

