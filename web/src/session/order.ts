// Best way first: which of the user's ways the page begins with, and in which order it lists the others. Pure.
import type { Browser } from "./browser.ts";
import type { Method, MethodType, PasskeyMethod, SessionView, UnixTime } from "./protocol.ts";

const ranks: MethodType[] = ["passkey", "push", "totp", "sms", "email", "recovery_code"];

type Place = Pick<Browser, "webauthn"> & { hostname: string };

/** A way was set up in this session. */
export const hasAdded = ({ factors }: Pick<SessionView, "factors">) => factors.some(({ added_here, state }) => added_here && state === "active");

/** The rp id is the page's host or a domain above it. */
export const fits = (rpId: string, hostname: string) => hostname === rpId || hostname.endsWith(`.${rpId}`);

const offersPasskeys = (view: Pick<SessionView, "passkey_rp_id">, place: Place) => place.webauthn && fits(view.passkey_rp_id, place.hostname);

/** Passkeys that all live in one other device: this browser would only show how to reach for it. */
const isElsewhere = ({ passkeys, used_here }: PasskeyMethod) =>
  !used_here && passkeys.every(({ transports, backed_up }) => !backed_up && transports.length > 0 && transports.every((name) => name === "internal"));

const rank = (method: Method) =>
  method.type === "passkey" && isElsewhere(method) ? ranks.indexOf("totp") + 0.5 : ranks.indexOf(method.type);

const later = (at: UnixTime | null, now: UnixTime) => (at !== null && at > now ? at : null);

/** Wrong codes closed it. */
export const lockedUntil = (method: Method, now: UnixTime) => ("locked_until" in method ? later(method.locked_until, now) : null);

/** Nothing more can be sent, and nothing that was sent can still be answered. */
export function unsentUntil(method: Method, now: UnixTime): UnixTime | null {
  if (method.type === "push") return method.live?.status === "pending" && method.live.expires_at > now ? null : later(method.closed_until, now);
  if (method.type !== "sms" && method.type !== "email") return null;
  return method.sent && method.sent.expires_at > now ? null : later(method.closed_until, now);
}

export const closedUntil = (method: Method, now: UnixTime): UnixTime | null => lockedUntil(method, now) ?? unsentUntil(method, now);

export const isOff = (method: Method) => "disabled" in method && method.disabled;

/** What this browser can use, best first, closed and turned-off ones in their places. */
export function ordered(view: Pick<SessionView, "methods" | "passkey_rp_id">, place: Place): Method[] {
  return view.methods.filter(({ type }) => type !== "passkey" || offersPasskeys(view, place)).sort((a, b) => rank(a) - rank(b));
}

/** The way to begin with; null if none is open. `except` is one that the person has just found closed. */
export function best(
  view: Pick<SessionView, "methods" | "passkey_rp_id" | "last_method">,
  place: Place,
  now: UnixTime,
  except?: MethodType,
): Method | null {
  const open = ordered(view, place).filter((method) => !closedUntil(method, now) && !isOff(method) && method.type !== except);
  const last = open.find(({ type }) => type === view.last_method && type !== "recovery_code");
  return last ?? open[0] ?? null;
}
