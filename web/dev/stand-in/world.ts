// One world: an application, one of its users, and the session between them. Each session of the stand-in has a world
// of its own, with a clock of its own, so that tests beside each other do not meet.
import { randomBytes, randomInt } from "node:crypto";
import { generateSecret } from "otplib";
import type { Channel, PushRequest, Purpose, RecoveryType, Sent, Stage, UnixTime, WayType } from "../../src/session/protocol.ts";

export type Class = "totp" | "delivered" | "recovery";

export interface Counter {
  failures: number;
  lockedUntil: UnixTime | null;
}

export interface Way {
  id: string;
  type: "totp" | "passkey" | "push";
  name: string;
  state: "pending" | "active" | "disabled";
  created_at: UnixTime;
  last_used_at: UnixTime | null;
  added_here: boolean;
  /** totp */
  secret?: string;
  digits?: number;
  lastStep?: number;
  expires_at?: UnixTime;
  /** passkey */
  credentialId?: string;
  publicKey?: string;
  algorithm?: number;
  counter?: number;
  backed_up?: boolean;
  transports?: string[];
  /** push */
  code?: string;
}

export interface Delivered {
  code: string;
  channel: Channel;
  to: string;
  sent: Sent;
  tries: number;
}

export interface World {
  /** How far its clock is ahead of the machine's, in seconds. */
  ahead: number;
  /** Seconds that a session stays open without a press. */
  idle: number;
  client: {
    name: string;
    logo_url: string | null;
    colour: string | null;
    support_url: string | null;
    return_url: string;
    state: string;
    types: WayType[];
    remember_days: number;
    recovery: RecoveryType[];
    delay_hours: number;
    rp_id: string;
    sending: "works" | "refused" | "down" | "country";
  };
  user: {
    account_name: string | null;
    ways: Way[];
    phone: string | null;
    email: string | null;
    contact_added: Partial<Record<Channel, { at: UnixTime; used: UnixTime | null; here: boolean }>>;
    codes: Map<string, boolean>;
    counters: Record<Class, Counter>;
    disabled: Class[];
    /** Times of messages, by channel. */
    sends: Record<Channel, UnixTime[]>;
    pushClosedUntil: UnixTime | null;
    trusted: { id: string; browser: string; created_at: UnixTime; last_used_at: UnixTime | null }[];
    last_method: string | null;
    on: boolean;
  };
  session: {
    id: string;
    secret: string;
    purpose: Purpose;
    stage: Stage;
    locale: string | null;
    /** The cookie's value of the browser that keeps it. */
    browser: string | null;
    began_at: UnixTime;
    touched_at: UnixTime;
    ended: boolean;
    verified_at: UnixTime | null;
    verified_by: string | null;
    recovered: boolean;
    auto_send: boolean;
    delivered: Partial<Record<Channel, Delivered>>;
    /** Codes that were accepted, which say so when they come again. */
    spent: string[];
    push: (PushRequest & { device: string }) | null;
    contact: (Delivered & { value: string; locked: UnixTime | null }) | null;
    challenges: Map<string, { challenge: string; until: UnixTime }>;
    shown: string[] | null;
    recovery: { type: "link" | "email" | "sms"; delivered: Delivered; opens_at: UnixTime | null } | null;
    result: string | null;
    used_passkey_here: boolean;
  };
  link: { secret: string; kind: "recover" | "stop"; state: "ready" | "used" | "expired" | "stopped"; opens_at: UnixTime | null };
  /** What the next requests of a path meet. */
  faults: Fault[];
  messages: { channel: Channel; to: string; code: string | null; text: string }[];
  requests: { method: string; path: string }[];
}

export interface Fault {
  /** Below /session; every path without it. */
  path?: string;
  /** Milliseconds before the answer. */
  delay?: number;
  /** It is done, and the connection is cut in the middle of the answer. */
  cut?: boolean;
  status?: number;
  error?: string;
  retry_after?: number;
  times?: number;
}

const token = (bytes = 16) => randomBytes(bytes).toString("base64url");

export const now = (world: World): UnixTime => Math.floor(Date.now() / 1000) + world.ahead;

const DAY = 24 * 60 * 60;

export function createWorld(host: string): World {
  const at = Math.floor(Date.now() / 1000);
  const empty = (): Counter => ({ failures: 0, lockedUntil: null });
  return {
    ahead: 0,
    idle: 600,
    client: {
      name: "Meadow",
      logo_url: logo,
      colour: null,
      support_url: "https://meadow.example/help",
      return_url: `http://${host}/dev/returned`,
      state: "s-123",
      types: ["passkey", "push", "totp", "sms", "email"],
      remember_days: 30,
      recovery: ["recovery_code", "link", "sms", "email"],
      delay_hours: 0,
      rp_id: host.split(":")[0]!,
      sending: "works",
    },
    user: {
      account_name: "nora@example.com",
      ways: [],
      phone: null,
      email: null,
      contact_added: {},
      codes: new Map(),
      counters: { totp: empty(), delivered: empty(), recovery: empty() },
      disabled: [],
      sends: { sms: [], email: [] },
      pushClosedUntil: null,
      trusted: [],
      last_method: null,
      on: false,
    },
    session: {
      id: token(),
      secret: token(32),
      purpose: "verify",
      stage: "verify",
      locale: null,
      browser: null,
      began_at: at,
      touched_at: at,
      ended: false,
      verified_at: null,
      verified_by: null,
      recovered: false,
      auto_send: true,
      delivered: {},
      spent: [],
      push: null,
      contact: null,
      challenges: new Map(),
      shown: null,
      recovery: null,
      result: null,
      used_passkey_here: false,
    },
    link: { secret: token(32), kind: "recover", state: "ready", opens_at: null },
    faults: [],
    messages: [],
    requests: [],
  };
}

/** A leaf, for the example application. */
const logo = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#1f6f4a" d="M27 4C14 4 5 10 5 20c0 3 1 5 2 7 1-7 6-12 13-14-5 3-9 8-10 15 12 1 18-8 17-24Z"/></svg>',
)}`;

let ways = 0;

export function addWay(world: World, type: Way["type"], more: Partial<Way> = {}): Way {
  const at = now(world);
  const way: Way = {
    id: `way-${++ways}`,
    type,
    name: { totp: "Pixel", passkey: "iPhone", push: "Pixel" }[type],
    state: "active",
    created_at: at - 120 * DAY,
    last_used_at: at - 20 * DAY,
    added_here: false,
    ...(type === "totp" && { secret: generateSecret(), digits: 6, lastStep: 0 }),
    ...(type === "passkey" && { credentialId: token(), backed_up: true, transports: ["internal", "hybrid"], counter: 0, algorithm: -7 }),
    ...more,
  };
  world.user.ways.push(way);
  world.user.on ||= way.state === "active";
  return way;
}

export function setContact(world: World, channel: Channel, value: string, here = false) {
  if (channel === "sms") world.user.phone = value;
  else world.user.email = value;
  const at = now(world);
  world.user.contact_added[channel] = { at: here ? at : at - 90 * DAY, used: null, here };
  world.user.on = true;
}

/** Ten codes of Crockford's letters, as the service makes them. */
export function makeCodes(world: World, left = 10): string[] {
  const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const group = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join("");
  const codes = Array.from({ length: 10 }, () => Array.from({ length: 6 }, group).join("-"));
  world.user.codes = new Map(codes.map((code, index) => [code.replaceAll("-", ""), index >= left]));
  return codes;
}

export const codesLeft = (world: World) => [...world.user.codes.values()].filter((used) => !used).length;

export const newToken = token;
