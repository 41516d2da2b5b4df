// What is told of a failure: one or two whole sentences, by what was tried, and how often it went wrong before. Pure.
import type { Message } from "../words/message.ts";
import { until } from "../words/dates.ts";
import type { Speech } from "../words/words.ts";
import type { Failure } from "./client.ts";
import type { MethodType, UnixTime, WayType } from "./protocol.ts";

/** A sentence and what stands in its places. A `deadline` is counted down where it is shown. */
export interface Sentence {
  message: Message<string>;
  values?: Record<string, string | number>;
  deadline?: { at: UnixTime; over?: Message };
}

export interface Circumstances {
  speech: Speech;
  app: string;
  now: UnixTime;
  /** What was tried: a proof, or setting something up. */
  on: MethodType | "confirm" | "contact" | "name" | "enrol" | "act";
  /** Wrong codes in a row on this screen, this one included. */
  running?: number;
  /** Masked, for what is sent. */
  destination?: string;
  /** What is being set up. */
  type?: WayType;
}

/** Tries are counted aloud from here. */
const FEW = 3;

const sentence = <Place extends string>(message: Message<Place>, values?: Record<string, string | number>): Sentence => ({
  message: message as Message<string>,
  ...(values && { values }),
});

export function explain(failure: Failure, about: Circumstances): Sentence[] {
  const { words } = about.speech;
  const { retry_after, field } = failure.body;
  switch (failure.code) {
    case "invalid_code":
      return wrong(failure, about);
    case "code_already_used":
      return [used(failure, about)];
    case "invalid_credential":
      return [sentence(about.on === "enrol" ? words.enrol.passkeyRefused : words.verify.passkeyRefused)];
    case "challenge_denied":
      return [sentence(words.verify.pushDenied)];
    case "challenge_expired":
      return [sentence(about.on === "passkey" ? words.verify.passkeyUnfinished : words.verify.pushOver)];
    case "send_limited":
      return [sentence(words.verify.sendLimit, { time: until(about.speech, about.now + (retry_after ?? 0), about.now) })];
    case "rate_limited":
      return [sentence(words.tooFast, { n: Math.max(1, retry_after ?? 1) })];
    case "delivery_failed":
      return [sentence(words.verify.notDelivered, { dest: about.destination ?? "" })];
    case "delivery_unavailable":
    case "channel_not_configured":
    case "destination_missing":
      return [sentence(words.verify.sendingDown)];
    case "destination_not_allowed":
      return [sentence(words.verify.country)];
    case "factor_limit_reached":
      return [sentence(words.enrol.full, { n: (about.type && failure.body.view?.enrolment?.full[about.type]) ?? 1 })];
    case "last_factor":
      return [sentence(words.manage.last)];
    case "name_taken":
      return [sentence(words.manage.nameTaken)];
    case "not_found":
    case "not_now":
      return [sentence(words.manage.changed)];
    case "factor_disabled":
      return [sentence(words.verify.disabled)];
    case "invalid_request":
      if (field === "phone") return [sentence(words.enrol.smsBad)];
      if (field === "email") return [sentence(words.enrol.emailBad)];
      if (field === "name") return [sentence(words.manage.nameLength)];
      return [sentence(words.unavailable)];
    // The screen itself shows that the way is closed, or that everything moved on.
    case "locked":
    case "challenge_pending":
    case "moved":
    case "aborted":
      return [];
    default:
      return [sentence(words.unavailable)];
  }
}

function wrong(failure: Failure, { speech, app, on, running = 1 }: Circumstances): Sentence[] {
  const { verify } = speech.words;
  const left = failure.body.attempts_remaining;
  // The last try closed the way, which the screen shows.
  if (left === 0) return [];
  const few = left !== undefined && left <= FEW ? [sentence(verify.triesLeft, { n: left })] : [];
  if (on === "recovery_code") return [sentence(verify.wrongRecovery), ...few];
  if (on === "sms" || on === "email" || on === "contact") return [sentence(verify.wrongSent), ...few];
  if (running === 1) return [sentence(verify.wrong, { app }), ...few];
  if (running === 2) return [sentence(verify.wrongAgain), ...few];
  return few.length > 0 ? [sentence(verify.wrongPlain), ...few] : [sentence(verify.wrong, { app })];
}

function used(failure: Failure, { speech, on, now }: Circumstances): Sentence {
  const { verify } = speech.words;
  if (on === "recovery_code") return sentence(verify.usedRecovery);
  const { retry_after } = failure.body;
  if (retry_after === undefined) return sentence(verify.usedSent);
  return { ...sentence(verify.usedApp), deadline: { at: now + retry_after, over: verify.usedAppNext } };
}
