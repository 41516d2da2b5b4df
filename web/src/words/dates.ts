// Times as people say them, in the browser's zone.
import type { UnixTime } from "../session/protocol.ts";
import { formOf, pieces } from "./message.ts";
import type { Speech } from "./words.ts";

const DAY = 24 * 60 * 60;

const fill = (text: string, values: Record<string, string>) =>
  pieces(text)
    .map((piece, index) => (index % 2 ? values[piece] : piece))
    .join("");

/** `4:32`, `61:05`. */
export function minutes(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const timeOfDay = (speech: Speech, at: UnixTime) =>
  new Intl.DateTimeFormat(speech.tag, { timeStyle: "short" }).format(at * 1000);

/** The time of day with its article, for a sentence. */
function clock(speech: Speech, at: UnixTime): string {
  const hour = new Intl.DateTimeFormat("en", { hour: "numeric", hourCycle: "h23" }).format(at * 1000);
  return fill(formOf(speech.words.clock, { n: Number(hour) }, speech.tag), { time: timeOfDay(speech, at) });
}

/** For "on {date} at {time}": both parts. */
export function dateAndTime(speech: Speech, at: UnixTime): { date: string; time: string } {
  const date = new Intl.DateTimeFormat(speech.tag, { day: "numeric", month: "long" }).format(at * 1000);
  return { date, time: clock(speech, at) };
}

const dayOf = (at: UnixTime) => new Date(at * 1000).toDateString();

/** For "until {time}": a time of today, of tomorrow or of a later day. */
export function until(speech: Speech, at: UnixTime, now: UnixTime): string {
  if (dayOf(at) === dayOf(now)) return clock(speech, at);
  const { words } = speech;
  if (dayOf(at) === dayOf(now + DAY)) return fill(words.tomorrowAt as string, { time: clock(speech, at) });
  return fill(words.onAt as string, dateAndTime(speech, at));
}

/** For "added {when}": a day, with the time of day if it is today and `exact`. */
export function when(speech: Speech, at: UnixTime, now: UnixTime, exact = false): string {
  const { words, tag } = speech;
  if (dayOf(at) === dayOf(now)) return exact ? fill(words.todayAt as string, { time: timeOfDay(speech, at) }) : (words.today as string);
  if (dayOf(at) === dayOf(now - DAY)) return words.yesterday as string;
  const sameYear = new Date(at * 1000).getFullYear() === new Date(now * 1000).getFullYear();
  const format = new Intl.DateTimeFormat(tag, { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) });
  return fill(words.on as string, { date: format.format(at * 1000) });
}

/** For the head of a file. */
export const longDate = (speech: Speech, at: UnixTime) => new Intl.DateTimeFormat(speech.tag, { dateStyle: "long" }).format(at * 1000);

/** For the name of a file: `2026-11-24`. */
export function fileDate(at: UnixTime): string {
  const date = new Date(at * 1000);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
