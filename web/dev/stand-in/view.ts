// A world as its page may see it.
import { renderSVG } from "uqr";
import type { Channel, Factor, Method, PendingEnrolment, Recovery, SessionView, Surroundings, WayType } from "../../src/session/protocol.ts";
import { digest, masked, messagesClosedUntil } from "./rules.ts";
import { codesLeft, now, type Class, type Way, type World } from "./world.ts";

const AT_MOST = 3600;
const LIMITS: Record<Way["type"], number> = { totp: 5, passkey: 10, push: 5 };

export const endsAtMost = (world: World) => world.session.began_at + AT_MOST;
export const endsAt = (world: World) => Math.min(world.session.touched_at + world.idle, endsAtMost(world));

export const surroundings = ({ client, session }: World): Surroundings => ({
  locale: session.locale,
  brand: { name: client.name, logo_url: client.logo_url, colour: client.colour },
  support_url: client.support_url,
  return_host: new URL(client.return_url).host,
});

export function qrImage(text: string): string {
  return `data:image/svg+xml;base64,${Buffer.from(renderSVG(text, { border: 4, pixelSize: 8, ecc: "M" })).toString("base64")}`;
}

export function viewOf(world: World, added: string | null = null): SessionView {
  const { client, user, session } = world;
  const proved = session.stage !== "verify" && session.stage !== "recover";
  const view: Omit<SessionView, "revision"> = {
    ...surroundings(world),
    session_id: session.id,
    purpose: session.purpose,
    stage: session.stage,
    account_name: user.account_name,
    server_time: now(world),
    expires_at: endsAt(world),
    expires_at_most: endsAtMost(world),
    verified_at: session.verified_at,
    verified_by: session.verified_by as SessionView["verified_by"],
    methods: methods(world),
    last_method: user.last_method as SessionView["last_method"],
    auto_send: session.auto_send,
    passkey_rp_id: client.rp_id,
    remember: { offered: client.remember_days > 0, days: client.remember_days },
    enrolment: session.stage === "enrol" || session.stage === "manage" ? enrolment(world) : null,
    pending_enrolment: pending(world),
    factors: proved ? factors(world) : [],
    added,
    recovery_codes_remaining: codesLeft(world),
    recovery_codes: session.shown,
    trusted_devices: proved ? user.trusted : [],
    recovery: recovery(world),
  };
  // Neither the time nor the deadline alone is news for who waits.
  const { server_time: _time, expires_at: _deadline, added: _added, ...lasting } = view;
  return { ...view, revision: digest(JSON.stringify(lasting)).toString("base64url").slice(0, 16) };
}

const lock = (world: World, of: Class) => {
  const { lockedUntil } = world.user.counters[of];
  return {
    locked_until: lockedUntil !== null && lockedUntil > now(world) ? lockedUntil : null,
    disabled: world.user.disabled.includes(of),
  };
};

const active = (world: World, type: Way["type"]) => world.user.ways.filter((way) => way.type === type && way.state === "active");

function methods(world: World): Method[] {
  const { user, session } = world;
  const found: Method[] = [];
  // In no particular order: it is the page that sorts.
  if (codesLeft(world) > 0) found.push({ type: "recovery_code", ...lock(world, "recovery") });
  for (const [type, to] of [
    ["email", user.email],
    ["sms", user.phone],
  ] as const) {
    if (!to) continue;
    const sent = session.delivered[type]?.sent ?? null;
    found.push({ type, destination: masked(to), sent, closed_until: messagesClosedUntil(world, type), ...lock(world, "delivered") });
  }
  const apps = active(world, "totp");
  if (apps.length > 0) found.push({ type: "totp", digits: [...new Set(apps.map(({ digits }) => digits!))], ...lock(world, "totp") });
  const [phone] = active(world, "push");
  if (phone) found.push({ type: "push", device: phone.name, authenticator_url: "https://localhost/phone", closed_until: user.pushClosedUntil, live: push(world) });
  const passkeys = active(world, "passkey");
  if (passkeys.length > 0) {
    found.push({
      type: "passkey",
      passkeys: passkeys.map(({ transports, backed_up }) => ({ transports: transports!, backed_up: backed_up! })),
      used_here: session.used_passkey_here,
    });
  }
  return found;
}

function push({ session, ahead }: World) {
  if (!session.push) return null;
  const { device: _device, ...live } = session.push;
  const over = live.status === "pending" && live.expires_at <= Math.floor(Date.now() / 1000) + ahead;
  return over ? { ...live, status: "expired" as const } : live;
}

function enrolment(world: World) {
  const { client, session, user } = world;
  const safe = client.types.filter((type) => type !== "sms" && type !== "email");
  const types = session.recovered && safe.length > 0 ? safe : client.types;
  const full: Partial<Record<WayType, number>> = {};
  for (const [type, limit] of Object.entries(LIMITS) as [Way["type"], number][]) {
    if (active(world, type).length >= limit) full[type] = limit;
  }
  if (user.phone) full.sms = 1;
  if (user.email) full.email = 1;
  return { types, full, recovered: session.recovered };
}

const otpauth = ({ client, user }: World, way: Way) =>
  `otpauth://totp/${encodeURIComponent(client.name)}:${encodeURIComponent(user.account_name ?? "user")}?secret=${way.secret}&issuer=${encodeURIComponent(client.name)}&algorithm=SHA1&digits=6&period=30`;

export const pendingWay = (world: World) => world.user.ways.find(({ state }) => state === "pending");

function pending(world: World): PendingEnrolment | null {
  const { contact } = world.session;
  if (contact) return { type: contact.channel, destination: masked(contact.value), sent: contact.sent, locked_until: lock(world, "delivered").locked_until };
  const way = pendingWay(world);
  if (way?.type === "totp") {
    const otpauth_url = otpauth(world, way);
    return { type: "totp", otpauth_url, secret: way.secret!, qr_image: qrImage(otpauth_url), digits: way.digits!, expires_at: way.expires_at! };
  }
  if (way?.type === "push") {
    const enrolment_url = `https://localhost/phone#${way.id}`;
    return { type: "push", enrolment_url, qr_image: qrImage(enrolment_url), code: way.code!, expires_at: way.expires_at! };
  }
  return null;
}

export function factors(world: World): Factor[] {
  const { user } = world;
  const ways: Factor[] = user.ways.map(({ id, type, name, state, created_at, last_used_at, added_here, credentialId, backed_up }) => ({
    id,
    type,
    name,
    state,
    created_at,
    last_used_at,
    added_here,
    ...(credentialId !== undefined && { passkey: { credential_id: credentialId, backed_up: backed_up! } }),
  }));
  for (const type of ["sms", "email"] as Channel[]) {
    const value = type === "sms" ? user.phone : user.email;
    const since = user.contact_added[type];
    if (value && since) ways.push({ id: type, type, name: masked(value), state: "active", created_at: since.at, last_used_at: since.used, added_here: since.here });
  }
  return ways;
}

function recovery(world: World): Recovery | null {
  const { client, user, session } = world;
  const found: Recovery["methods"] = [];
  const { locked_until } = lock(world, "recovery");
  for (const type of client.recovery) {
    if (type === "recovery_code" && codesLeft(world) > 0) found.push({ type, destination: null, locked_until });
    if (type === "sms" && user.phone) found.push({ type, destination: masked(user.phone), locked_until });
    if ((type === "email" || type === "link") && user.email) found.push({ type, destination: masked(user.email), locked_until });
  }
  if (client.recovery.length === 0) return null;
  const sent = session.recovery && {
    ...session.recovery.delivered.sent,
    type: session.recovery.type,
    destination: masked(session.recovery.delivered.to),
    opens_at: session.recovery.opens_at,
  };
  return { methods: found, delay_hours: client.delay_hours, sent };
}
