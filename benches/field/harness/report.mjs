// The tables of docs/performance.md, between its markers.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { figure, goals, number, ratio, soundTurns } from "./figures.mjs";
import { bars, curve, pairs } from "./pictures.mjs";
import { Problem, root } from "./repository.mjs";
import { LEVELS } from "./rounds.mjs";

const page = join(root, "docs", "performance.md");
const pictures = join(root, "docs", "performance");
const BEGIN = "<!-- what `npm run bench` wrote begins -->";
const END = "<!-- what `npm run bench` wrote ends -->";

/** Draws where the CPU of a verification goes in two programs, and prints it. */
export function writeProfile(found) {
  const [before, now] = [found[0], found.at(-1)];
  const share = ({ cpu, shares }, name) => 1000 * cpu * shares.find(([other]) => other === name)[1];
  const rows = now.shares.map(([name]) => [name, ...found.map((program) => share(program, name))]);
  const sorted = rows.filter(([, ...values]) => values.some((value) => value >= 0.05)).sort((a, b) => b[1] - a[1]);
  mkdirSync(pictures, { recursive: true });
  const svg = pairs("CPU for a verification by what it is spent on", "µs", found.map(({ name }) => name), sorted);
  writeFileSync(join(pictures, "profile.svg"), svg);
  const total = ["all", ...found.map(({ cpu }) => 1000 * cpu)];
  const numbers = [...sorted, total].map(([name, ...values]) => [name, ...values.map(number)]);
  console.log(table(["µs for a verification", ...(found.length > 1 ? [before.name, now.name] : [now.name])], numbers));
}

/** Writes tables and pictures; growth is left as it is if this run has none. */
export function writeReport(results) {
  const text = readFileSync(page, "utf8");
  const [head, rest] = text.split(BEGIN);
  const tail = rest?.split(END)[1];
  if (tail === undefined) throw new Problem("docs/performance.md has lost its markers.");
  mkdirSync(pictures, { recursive: true });
  for (const [name, svg] of Object.entries(draw(results))) writeFileSync(join(pictures, `${name}.svg`), svg);
  writeFileSync(page, `${head}${BEGIN}\n\n${tables(results)}\n\n${END}${tail}`);
}

export function tables({ lines, growth, machine, command, when, rounds, seconds, loads }) {
  const present = lines.filter(({ missing }) => !missing);
  return [
    `\`${command}\`, ${when}: ${rounds} round${rounds > 1 ? "s" : ""} of ${seconds} s for each contender and number of connections.`,
    `The machine: ${machine}. Load average before the first turn ${loads[0]}, after the last ${loads[1]}.`,
    "### Verifications a second",
    throughput(present),
    "![Verifications a second at 64 connections](performance/throughput.svg)",
    "### Time and CPU for a verification",
    latency(present),
    "![CPU for a verification at 64 connections](performance/cpu.svg)",
    "### What it takes beside",
    resources(present),
    "### Correctness",
    correctness(present),
    "### Goals",
    aims(lines),
    ...(growth?.length ? ["### Growth", grown(growth), "![Cost of a verification by number of accounts](performance/growth.svg)"] : []),
    "### Versions",
    ...lines.map(({ name, versions, missing }) => `- ${name}: ${missing ? `left out: ${missing}` : versions}`).reduce(joined, []),
  ].join("\n\n");
}

/** A list is one block. */
const joined = (blocks, item) => [blocks.length ? `${blocks[0]}\n${item}` : item];

function throughput(lines) {
  const native = lines.find(({ id }) => id === "candado");
  const rows = lines.map((line) => [
    line.name,
    ...LEVELS.map((connections) => spread(line, connections)),
    native && line !== native && !line.floor ? against(native, line) : "",
  ]);
  return table(["", ...LEVELS.map((connections) => `${connections} connection${connections > 1 ? "s" : ""}`), "Candado, native, is at 64"], rows);
}

/** The median, and the least and the most of all rounds. */
function spread(line, connections) {
  const rates = soundTurns(line, connections).map(({ rate }) => rate);
  if (!rates.length) return "no sound turn";
  return `**${number(figure(line, connections, "rate"))}** (${number(Math.min(...rates))} to ${number(Math.max(...rates))})`;
}

function against(native, line) {
  const times = ratio(native, line, 64);
  return times ? `${number(times.median)} times (${number(times.least)} to ${number(times.most)})` : "";
}

function latency(lines) {
  const rows = lines.flatMap((line) =>
    LEVELS.map((connections, index) => [
      index ? "" : line.name,
      connections,
      ...["p50", "p99", "cpu"].map((key) => number(figure(line, connections, key))),
    ]),
  );
  return table(["", "connections", "p50, ms", "p99, ms", "CPU, ms"], rows);
}

function resources(lines) {
  const rows = lines.map((line) => [
    line.name,
    number(line.peak / 1e6),
    number(figure(line, 64, "written")),
    number(line.deployed / 1e6),
    number(line.started),
  ]);
  return table(["", "peak memory, MB", "bytes written for a verification, 64 connections", "deployed, MB", "from nothing to ready, s"], rows);
}

function correctness(lines) {
  const checked = lines.filter(({ checks }) => checks.length);
  const failures = checked.flatMap(({ name, checks }) =>
    checks.filter(({ failed }) => failed).map(({ name: check, failed }) => [name, `${check}: ${failed}`]),
  );
  const passed = checked.filter(({ checks }) => checks.every(({ failed }) => !failed)).map(({ name }) => name);
  const held = `All checks pass: ${passed.join("; ")}.`;
  return failures.length ? `${held}\n\n${table(["", "failed"], failures, "---")}` : held;
}

function aims(lines) {
  const word = (holds) => (holds === null ? "not measured" : holds ? "met" : "missed");
  return table(
    ["goal", "this run", ""],
    goals(lines).map(({ text, value, holds, unit }) => [text, value === null ? "" : `${number(value)} ${unit}`, word(holds)]),
    "---",
  );
}

function grown(points) {
  const rows = points.map(({ accounts, bytes, rate, cpu, p99 }) => [accounts.toLocaleString("en"), ...[bytes, rate, cpu, p99].map(number)]);
  return table(["accounts", "bytes each", "verifications a second", "CPU, ms", "p99, ms"], rows);
}

function draw({ lines, growth }) {
  const present = lines.filter(({ missing }) => !missing);
  const rows = (key) =>
    present
      .map((line) => ({ name: line.name, value: figure(line, 64, key), ours: line.id.startsWith("candado"), floor: line.floor }))
      .filter(({ value }) => value !== null);
  const svgs = {
    throughput: bars("Verifications a second, 64 connections", rows("rate").sort((a, b) => b.value - a.value)),
    cpu: bars("CPU for a verification in ms, 64 connections", rows("cpu").sort((a, b) => a.value - b.value)),
  };
  if (growth?.length) {
    svgs.growth = curve("Candado, native: CPU for a verification by number of accounts", "ms", growth.map(({ accounts, cpu }) => [accounts, cpu]));
  }
  return svgs;
}

/** The first column is text, and the others are numbers if nothing else is said. */
function table(heads, rows, rest = "--:") {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map((_, index) => (index ? rest : "---"))), ...rows.map(line)].join("\n");
}
