// The rules that the page meets: counters and locks, cooldowns, codes that were used. The real ones are the service's.
import { createHash } from "node:crypto";
import { randomInt } from "node:crypto";
import { generateSync } from "otplib";
import type { Channel, Sent } from "../../src/session/protocol.ts";
import { newToken, now, type Class, type Delivered, type Way, type World } from "./world.ts";

/** What an endpoint answers when it does not do what it was asked. */
export class Refusal extends Error {
  readonly status: number;
  readonly error: string;
  readonly more: object;

  constructor(status: number, error: string, more: object = {}) {
    super(error);
    this.status = status;
    this.error = error;
    this.more = more;
  }
}

const TRIES = 5;
const COOLDOWN = 60;
const MESSAGES = 5;
const HOUR = 60 * 60;

/** Refuses while the class is closed. */
export function knock(world: World, of: Class) {
  const { lockedUntil } = world.user.counters[of];
  if (world.user.disabled.includes(of)) throw new Refusal(403, "factor_disabled");
  if (lockedUntil !== null && lockedUntil > now(world)) throw new Refusal(429, "locked", { retry_after: lockedUntil - now(world) });
}

/** Counts a wrong code and says so. */
export function miss(world: World, of: Class): never {
  const counter = world.user.counters[of];
  counter.failures += 1;
  const over = counter.failures - TRIES;
  if (over >= 0) counter.lockedUntil = now(world) + Math.min(60 * 2 ** over, HOUR);
  if (counter.failures >= 100) world.user.disabled.push(of);
  throw new Refusal(400, "invalid_code", { attempts_remaining: Math.max(0, -over) });
}

export function hit(world: World, of: Class) {
  world.user.counters[of] = { failures: 0, lockedUntil: null };
}

/** What cannot be a code is told apart and not counted. */
export const malformed = (world: World, of: Class) =>
  new Refusal(400, "invalid_code", { attempts_remaining: Math.max(0, TRIES - world.user.counters[of].failures) });

const PERIOD = 30;

export const totpCode = (way: Way, at: number) =>
  generateSync({ secret: way.secret!, digits: (way.digits ?? 6) as 6 | 8, period: PERIOD, algorithm: "sha1", epoch: at });

/** One step on either side; a used step says so and costs nothing. */
export function tryTotp(world: World, ways: Way[], code: string): Way {
  if (!/^\d{6}(\d\d)?$/.test(code)) throw malformed(world, "totp");
  const at = now(world);
  let used = false;
  for (const way of ways) {
    for (const step of [1, 0, -1]) {
      const moment = at + step * PERIOD;
      if (totpCode(way, moment) !== code) continue;
      const number = Math.floor(moment / PERIOD);
      if (number > (way.lastStep ?? 0)) {
        way.lastStep = number;
        hit(world, "totp");
        return way;
      }
      used = true;
    }
  }
  if (used) throw new Refusal(400, "code_already_used", { retry_after: PERIOD - (at % PERIOD) });
  return miss(world, "totp");
}

export const masked = (value: string) =>
  value.includes("@") ? value.replace(/^(.)[^@]*@(.).*$/, "$1••@$2•••") : `${value.slice(0, 3)}••••${value.slice(-2)}`;

/** Sends a code, unless a limit, the country or the provider is against it. */
export function deliver(world: World, channel: Channel, to: string, digits = 6, life = 300): Delivered {
  const at = now(world);
  const { sends } = world.user;
  sends[channel] = sends[channel].filter((time) => time > at - HOUR);
  const last = sends[channel].at(-1);
  if (last !== undefined && last > at - COOLDOWN) throw new Refusal(429, "send_limited", { retry_after: last + COOLDOWN - at });
  const closed = messagesClosedUntil(world, channel);
  if (closed !== null) throw new Refusal(429, "send_limited", { retry_after: closed - at });
  const { sending } = world.client;
  if (sending === "country" && channel === "sms") throw new Refusal(422, "destination_not_allowed");
  sends[channel].push(at);
  if (sending === "refused") throw new Refusal(502, "delivery_failed");
  if (sending === "down") throw new Refusal(503, "delivery_unavailable", { retry_after: 5 });
  const code = String(randomInt(10 ** digits)).padStart(digits, "0");
  world.messages.push({ channel, to, code, text: `${code} is your code for ${world.client.name}.\n\n@localhost #${code}` });
  const sent: Sent = { digits, sent_at: at, expires_at: at + life, send_again_at: at + COOLDOWN };
  return { code, channel, to, sent, tries: 0 };
}

export function messagesClosedUntil(world: World, channel: Channel): number | null {
  const recent = world.user.sends[channel].filter((time) => time > now(world) - HOUR);
  return recent.length >= MESSAGES ? recent[0]! + HOUR : null;
}

/** The code of a message: five tries, once, while it lives. */
export function tryDelivered(world: World, delivered: Delivered | undefined | null, code: string, of: Class = "delivered") {
  knock(world, of);
  if (!/^\d{6}(\d\d)?$/.test(code)) throw malformed(world, of);
  const { session } = world;
  if (session.spent.includes(code)) throw new Refusal(400, "code_already_used");
  if (!delivered || delivered.sent.expires_at <= now(world) || delivered.tries >= TRIES) return miss(world, of);
  if (delivered.code !== code) {
    delivered.tries += 1;
    return miss(world, of);
  }
  session.spent.push(code);
  hit(world, of);
}

export function tryRecoveryCode(world: World, typed: string) {
  knock(world, "recovery");
  const code = typed
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "")
    .replaceAll("O", "0")
    .replace(/[IL]/g, "1");
  if (code.length !== 24) throw malformed(world, "recovery");
  const used = world.user.codes.get(code);
  if (used) throw new Refusal(400, "code_already_used");
  if (used === undefined) return miss(world, "recovery");
  world.user.codes.set(code, true);
  hit(world, "recovery");
}

export function newChallenge(world: World) {
  const id = newToken();
  const challenge = newToken(32);
  world.session.challenges.set(id, { challenge, until: now(world) + 300 });
  return { id, challenge };
}

/** A challenge serves one attempt. */
export function spendChallenge(world: World, id: unknown): string {
  const found = world.session.challenges.get(String(id));
  world.session.challenges.delete(String(id));
  if (!found || found.until <= now(world)) throw new Refusal(400, "invalid_credential", { reason: "challenge" });
  return found.challenge;
}

export const digest = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest();
