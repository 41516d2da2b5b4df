// What is offered to be set up: only what works in this browser, one of it recommended. Pure.
import type { Browser } from "./browser.ts";
import { fits } from "./order.ts";
import type { SessionView, WayType } from "./protocol.ts";

type Capable = Pick<Browser, "webauthn">;

const order: WayType[] = ["passkey", "push", "totp", "sms", "email"];

/** What can be set up in this browser, at a limit or not. */
export function offered(view: SessionView, browser: Capable, hostname: string): WayType[] {
  const types = view.enrolment?.types ?? [];
  return order.filter((type) => types.includes(type) && (type !== "passkey" || (browser.webauthn && fits(view.passkey_rp_id, hostname))));
}

/** A passkey where this very device can hold one, else the app, else the first there is. */
export function recommended(types: WayType[], { platform }: Pick<Browser, "platform">): WayType | undefined {
  if (types.includes("passkey") && platform) return "passkey";
  return types.includes("totp") ? "totp" : types[0];
}

/** There is one way only, and one of the other kind can be set up here. */
export function wantsSecond(view: SessionView, browser: Capable, hostname: string): boolean {
  const [only, ...more] = view.factors.filter(({ state }) => state === "active");
  if (!only || more.length > 0) return false;
  return offered(view, browser, hostname).includes(only.type === "passkey" ? "totp" : "passkey");
}
