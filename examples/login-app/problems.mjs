// What went wrong, as a person understands it.
import { CandadoError } from "candado";

/**
 * What a page shows above its form, as `text`. One that ends in "in" is followed by `wait`, in seconds; `locked` says
 * that the form is of no use until then, `on` which field is wrong.
 */
export class Problem extends Error {
  constructor(text, { status = 422, wait, locked = false, on = "code" } = {}) {
    super(text);
    Object.assign(this, { text, status, wait, locked, on });
  }
}

/** "45 seconds", "2 minutes": for where nothing counts down. */
export function inWords(seconds) {
  const [count, unit] = seconds < 100 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Turns an error of Candado's into a Problem; throws anything else. `by` is the method that was tried. */
export function explain(error, by) {
  if (error instanceof Problem) return error;
  if (!(error instanceof CandadoError)) throw error;
  const { code, status, attemptsRemaining, retryAfter: wait } = error;
  // The wrong code that uses up the last try says for how long the others are not looked at.
  if (code === "locked" || (code === "invalid_code" && attemptsRemaining === 0 && wait)) return locked(wait);
  const sentence = sentences[code]?.(error, by);
  const on = code === "invalid_request" || code === "destination_not_allowed" ? "destination" : "code";
  if (sentence) return new Problem(sentence, { status, wait: sentence.endsWith(" in") ? wait : undefined, on });
  console.error(`Candado: ${code}: ${error.message} (status ${status}, request ${error.requestId}) ${error.documentationUrl ?? ""}`);
  return new Problem("We cannot check your second step right now. Please try again in a moment", { status: 503 });
}

export const locked = (wait) => new Problem("Too many wrong codes. For your safety you can try again in", { status: 429, wait, locked: true });

const sentences = {
  invalid_request: ({ field }) => ({ phone: "There is no such phone number", email: "That is no e-mail address" })[field],
  invalid_code: ({ attemptsRemaining: left }, by) => {
    const delivered = by === "sms" || by === "email" || by === "recovery";
    const wrong = delivered ? "That code is not right, or it has expired" : "That code is not right";
    return left > 0 ? `${wrong}. You have ${left} ${left === 1 ? "try" : "tries"} left` : wrong;
  },
  invalid_credential: () => "This passkey was not accepted. Try again, or use another way",
  factor_limit_reached: () => "You have as many as there can be. Remove one first",
  // Only an app has a next code. Any other code is good once.
  code_already_used: ({ retryAfter }) =>
    retryAfter ? "You have used this code already. Your app shows the next one in" : "You have used this code already. Please use another one",
  send_limited: () => "We sent you a message a moment ago. You can ask for another one in",
  rate_limited: () => "That was a little fast. Please try again in",
  factor_disabled: (_, by) => {
    if (by === "sms" || by === "email") return "Codes sent there were switched off after too many wrong ones. Please use another way";
    // A code to recover with that has expired, while the app is switched off.
    if (by === "recovery") return "That code is not right, or it has expired";
    return "Your authenticator app was switched off after too many wrong codes. Use another way to sign in, or recover your access";
  },
  destination_not_allowed: () => "We cannot send text messages to that number",
  destination_missing: () => "There is nowhere to send a code to",
  delivery_failed: () => "The message could not be delivered. Check the number or address, or use another way",
  delivery_unavailable: () => "Messages cannot be sent right now. Please use another way, or try again in a moment",
  channel_not_configured: () => "Messages cannot be sent that way. Please use another one",
};
