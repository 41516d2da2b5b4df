// What went wrong, as a person understands it.
import { CandadoError } from "./candado.mjs";

/**
 * What a page shows above its form. A text that ends in "in" is followed by `wait`, in seconds;
 * `locked` says that the form is of no use until then.
 */
export class Problem extends Error {
  constructor(text, { status = 422, wait, locked = false } = {}) {
    super(text);
    Object.assign(this, { status, wait, locked });
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
  const { code, status, retryAfter: wait } = error;
  const sentence = sentences[code]?.(error, by);
  if (sentence) return new Problem(sentence, { status, wait: sentence.endsWith(" in") ? wait : undefined, locked: code === "locked" });
  console.error(`Candado: ${status} ${code}: ${error.message}`);
  return new Problem("We cannot check your second step right now. Please try again in a moment", { status: 503 });
}

const fields = {
  phone: "Write the number with its country code, such as +34 600 111 222",
  email: "That does not look like an e-mail address",
  code: "That does not look like a code. Please check it",
};

const sentences = {
  invalid_request: ({ field }) => fields[field],
  invalid_code: ({ attemptsRemaining: left }, by) => {
    const delivered = by === "sms" || by === "email" || by === "recovery";
    const wrong = delivered ? "That code is not right, or it has expired" : "That code is not right";
    return left > 0 ? `${wrong}. You have ${left} ${left === 1 ? "try" : "tries"} left` : wrong;
  },
  code_already_used: () => "You have used this code already. Your app shows the next one in",
  locked: () => "Too many wrong codes. For your safety you can try again in",
  send_limited: () => "We sent you a message a moment ago. You can ask for another one in",
  rate_limited: () => "That was a little fast. Please try again in",
  factor_disabled: () =>
    "Your authenticator app was switched off after too many wrong codes. Use another way to sign in, or recover your access",
  destination_not_allowed: () => "We cannot send text messages to that number",
  destination_missing: () => "There is nowhere to send a code to",
  delivery_failed: () => "The message could not be delivered. Check the number or address, or use another way",
  delivery_unavailable: () => "Messages cannot be sent right now. Please use another way, or try again in a moment",
};
