// What GET /admin/statistics answers, made ready to be looked at. Pure: a test reads what comes out.
import type { UnixTime } from "./types.ts";

export interface Counts {
  enrolments: { begun: number; finished: number };
  verifications: { method: string | null; class: string | null; outcome: string; count: number }[];
  locks: { class: string; count: number }[];
  messages: { channel: string; country: string | null; range: string | null; sent: number; failed: number; refused: number; verified: number }[];
  provider_calls: { provider: string; count: number; failures: number; p50_ms: number; p95_ms: number }[];
}

export interface Bucket extends Counts {
  at: UnixTime;
  client_id: string | null;
}

export interface Statistics {
  from: UnixTime;
  to: UnixTime;
  step: number;
  /** Whether all that is recorded is counted. */
  complete: boolean;
  users: number;
  locked: Record<string, number>;
  clients: { client_id: string; users: number; locked: Record<string, number> }[];
  total: Counts;
  buckets: Bucket[];
}

/** How far back, and by which steps: seconds. */
export const spans = { hours: [3 * 3_600, 300], day: [86_400, 3_600], week: [7 * 86_400, 3_600], month: [30 * 86_400, 86_400] } as const;
export type Span = keyof typeof spans;

const sum = (numbers: number[]) => numbers.reduce((all, one) => all + one, 0);

const right = ["verified", "recovered"];
export const rightOf = ({ verifications }: Counts) => sum(verifications.filter(({ outcome }) => right.includes(outcome)).map(({ count }) => count));
export const wrongOf = ({ verifications }: Counts) => sum(verifications.filter(({ outcome }) => outcome === "failed").map(({ count }) => count));
const otherOf = ({ verifications }: Counts) => sum(verifications.filter(({ outcome }) => outcome !== "failed" && !right.includes(outcome)).map(({ count }) => count));
export const locksOf = ({ locks }: Counts) => sum(locks.map(({ count }) => count));

/** Of tries, the share that was right; null where there were fewer than `least`. */
export function shareOf(rights: number, wrongs: number, least = 1): number | null {
  return rights + wrongs < least ? null : rights / (rights + wrongs);
}

export interface Column {
  from: UnixTime;
  to: UnixTime;
  values: number[];
  /** It is not over yet. */
  running: boolean;
}

const nothing: Counts = { enrolments: { begun: 0, finished: 0 }, verifications: [], locks: [], messages: [], provider_calls: [] };

/** The values of each step, a step in which nothing happened among them; put together where they are more than `most`. */
export function columnsOf({ from, to, step, buckets }: Statistics, valuesOf: (counts: Counts) => number[], now: UnixTime, most: number): Column[] {
  const known = new Map(buckets.map((bucket) => [bucket.at, bucket]));
  const all: Column[] = [];
  for (let at = from; at < to; at += step) all.push({ from: at, to: at + step, values: valuesOf(known.get(at) ?? nothing), running: now < at + step });
  const each = Math.ceil(all.length / most);
  if (each <= 1) return all;
  const together: Column[] = [];
  for (let index = 0; index < all.length; index += each) {
    const some = all.slice(index, index + each);
    together.push({ from: some[0]!.from, to: some.at(-1)!.to, values: some[0]!.values.map((_, place) => sum(some.map(({ values }) => values[place]!))), running: some.some(({ running }) => running) });
  }
  return together;
}

/** Right, not right, closed, other. */
export const outcomesOf = (counts: Counts) => [rightOf(counts), wrongOf(counts), locksOf(counts), otherOf(counts)];
export const enrolmentsOf = ({ enrolments: { begun, finished } }: Counts) => [begun, finished];

/** Ways that proved something, the most used first. */
export function waysOf({ verifications }: Counts): { name: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { method, outcome, count } of verifications) if (method !== null && right.includes(outcome)) counts.set(method, (counts.get(method) ?? 0) + count);
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count);
}

export interface Place {
  country: string;
  sent: number;
  used: number;
  /** Null where too few were sent to say. */
  share: number | null;
}

/** Below it a share says nothing. */
export const FEW = 20;

/** Text messages by country, the most first. */
export function placesOf({ messages }: Counts): Place[] {
  const places = new Map<string, { sent: number; used: number }>();
  for (const { channel, country, sent, verified } of messages) {
    if (channel !== "sms") continue;
    const place = places.get(country ?? "?") ?? { sent: 0, used: 0 };
    places.set(country ?? "?", { sent: place.sent + sent, used: place.used + verified });
  }
  return [...places].map(([country, { sent, used }]) => ({ country, sent, used, share: sent < FEW ? null : used / sent })).sort((a, b) => b.sent - a.sent);
}

export type Health = "good" | "watch" | "bad" | "none";

/** Refused or unanswered: good under 1 %, to be watched under 5 %. */
export const healthOf = (calls: number, failures: number): Health => (calls === 0 ? "none" : failures / calls < 0.01 ? "good" : failures / calls < 0.05 ? "watch" : "bad");

export type Concern =
  | { kind: "country"; country: string; share: number; usual: number }
  | { kind: "provider"; provider: string; share: number; health: "watch" | "bad" }
  | { kind: "locks"; count: number; usual: number }
  | { kind: "missing"; accounts: number };

/** Locks that are few are no sign, whatever the usual. */
const LOCKS = 10;

/** What somebody should look at; each by a rule that the page says. `usual` is the seven days before. */
export function concernsOf(now: Statistics, usual: Statistics | null, missing: number): Concern[] {
  const found: Concern[] = missing > 0 ? [{ kind: "missing", accounts: missing }] : [];
  for (const { provider, count, failures } of now.total.provider_calls) {
    const health = healthOf(count, failures);
    if (health === "watch" || health === "bad") found.push({ kind: "provider", provider, share: failures / count, health });
  }
  if (!usual) return found;
  const before = new Map(placesOf(usual.total).map(({ country, share }) => [country, share]));
  for (const { country, share } of placesOf(now.total)) {
    const mean = before.get(country) ?? null;
    if (share !== null && mean !== null && share < mean / 2) found.push({ kind: "country", country, share, usual: mean });
  }
  const mean = (locksOf(usual.total) * (now.to - now.from)) / (usual.to - usual.from);
  const count = locksOf(now.total);
  if (count >= LOCKS && count > 3 * mean) found.push({ kind: "locks", count, usual: Math.round(mean) });
  return found;
}

/** Which class of codes a right code was of. A passkey is of none. */
const classes: Record<string, string> = { totp: "totp", sms: "delivered", email: "delivered", generated: "delivered", recovery_code: "recovery", recovery: "recovery" };
export const guessed = ["totp", "delivered", "recovery"] as const;

/** Right and wrong by class of codes. */
export const byClass = ({ verifications }: Counts): number[] =>
  guessed.flatMap((name) => [
    sum(verifications.filter(({ method, outcome }) => method !== null && classes[method] === name && right.includes(outcome)).map(({ count }) => count)),
    sum(verifications.filter((one) => one.class === name && one.outcome === "failed").map(({ count }) => count)),
  ]);

/** As a field for local times has it: `2026-11-30T13:05`. */
export function localOf(at: UnixTime): string {
  const date = new Date(at * 1000);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
