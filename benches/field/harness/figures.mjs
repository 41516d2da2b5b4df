// From the turns of a run to the figures that are told.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The turns of a contender at that many connections in which nothing went wrong. */
export const soundTurns = (line, connections) => (line.turns[connections] ?? []).filter(({ problem }) => !problem);

/** Its median over all rounds, or `null` if no turn was sound. */
export function figure(line, connections, key) {
  const turns = soundTurns(line, connections);
  return turns.length ? median(turns.map((turn) => turn[key])) : null;
}

/** How many times as much `line` does as `other`, round by round: the median, the least and the most. */
export function ratio(line, other, connections) {
  const rounds = (line.turns[connections] ?? []).map((turn, index) => [turn, other.turns[connections]?.[index]]);
  const ratios = rounds.filter(([a, b]) => a && b && !a.problem && !b.problem).map(([a, b]) => a.rate / b.rate);
  return ratios.length ? { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) } : null;
}

/** What the project aims at, and where this run stands. */
export function goals(lines) {
  const by = Object.fromEntries(lines.map((line) => [line.id, line]));
  const native = by.candado;
  const goal = (text, value, holds, unit) => ({ text, value, holds: value === null ? null : holds(value), unit });
  const times = (id) => (native && by[id] ? (ratio(native, by[id], 64)?.median ?? null) : null);
  const of = (line, connections, key) => (line ? figure(line, connections, key) : null);
  const [worker, hono] = ["candado-worker", "hono"].map((id) => of(by[id], 64, "cpu"));
  return [
    goal("natively at 64 connections at least 20 times the Python stack", times("fastapi"), (value) => value >= 20, "times"),
    goal("natively at 64 connections at least 400 times privacyIDEA", times("privacyidea"), (value) => value >= 400, "times"),
    goal("natively at 64 connections a p99 under 25 ms", of(native, 64, "p99"), (value) => value < 25, "ms"),
    goal("natively at most 0.10 ms of CPU for a verification", of(native, 64, "cpu"), (value) => value <= 0.1, "ms"),
    goal("natively under 64 MB of memory", native?.peak ? native.peak / 1e6 : null, (value) => value < 64, "MB"),
    goal(
      "the Worker's CPU for a verification not above the Hono Worker's",
      worker !== null && hono !== null ? worker / hono : null,
      (value) => value <= 1,
      "times",
    ),
  ];
}

/** Three digits that mean something. */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}
