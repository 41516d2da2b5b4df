// A run: every contender prepared, started and checked, then loaded in turns, interleaved, so that what the machine
// does beside it meets all of them alike.
import { rmSync } from "node:fs";
import { check } from "./checks.mjs";
import { turn } from "./load.mjs";
import { Problem, runs } from "./repository.mjs";

export const LEVELS = [1, 16, 64];

/** A turn may take this much more users than the one before it did. */
const RESERVE = 1.6;

/** Answers a line for each contender: what it is, what it failed, and the figures of its turns. */
export async function race(contenders, { rounds, seconds }) {
  const lines = [];
  for (const contender of contenders) lines.push(await prepared(contender));
  for (const line of lines.filter((line) => !line.missing)) await begin(line, seconds);
  const running = lines.filter((line) => line.running);
  for (let round = 0; round < rounds; round++) {
    for (const connections of LEVELS) {
      // Another one first each time: whoever follows a heavy turn may find a slower disk.
      const order = running.map((_, index) => running[(index + round) % running.length]);
      for (const line of order) await take(line, connections, seconds, `${round + 1}/${rounds}`);
    }
  }
  return lines.map(({ contender, running, users, expected, ...figures }) => ({ ...figures, peak: running?.peak ?? null }));
}

async function prepared(contender) {
  const line = { contender, id: contender.id, name: contender.name, floor: Boolean(contender.floor), checks: [], turns: {} };
  try {
    await contender.prepare();
    return { ...line, versions: await contender.versions(), deployed: await contender.deployed() };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.log(`Left out: ${contender.name}: ${error.message}`);
    return { ...line, missing: error.message.split("\n")[0] };
  }
}

/** Starts it from an empty folder, checks it and enrols its users. */
async function begin(line, seconds) {
  const { contender } = line;
  const folder = runs("data", contender.id);
  rmSync(folder, { recursive: true, force: true });
  const began = Date.now();
  line.running = { ...contender, ...(await contender.start(folder)) };
  line.started = (Date.now() - began) / 1000;
  line.expected = {};
  line.users = [];
  if (!line.running.enrol) {
    line.floor = true;
    line.users = numbers(0, 2 * contender.expected * seconds);
    return console.log(`${contender.name}: ready after ${line.started.toFixed(1)} s`);
  }
  line.checks = await check(line.running);
  const failed = line.checks.filter(({ failed }) => failed);
  await enrolMore(line, 2 * contender.expected * seconds);
  console.log(`${contender.name}: ready after ${line.started.toFixed(1)} s, ${line.users.length} users, ${failed.length} checks failed`);
  for (const { name, failed: what } of failed) console.log(`  ${name}: ${what}`);
}

const numbers = (from, count) => Array.from({ length: count }, (_, index) => from + index);

async function enrolMore(line, count) {
  const more = numbers(line.users.length, count);
  await line.running.enrol(more);
  line.users = line.users.concat(more);
}

async function take(line, connections, seconds, round) {
  const rate = line.expected[connections] ?? 2 * line.contender.expected;
  const count = Math.min(line.users.length, Math.ceil(RESERVE * rate * seconds) + 10 * connections);
  let figures = await turn(line.running, { connections, seconds, users: line.users.slice(0, count) });
  if (figures.problem === "the users ran out") {
    if (line.running.enrol && count === line.users.length) await enrolMore(line, count);
    else if (!line.running.enrol) line.users = numbers(0, 2 * line.users.length);
    line.expected[connections] = 2 * RESERVE * figures.rate;
    figures = await turn(line.running, { connections, seconds, users: line.users });
  }
  line.expected[connections] = figures.rate;
  (line.turns[connections] ??= []).push(figures);
  const { rate: now, p50, p99, cpu, problem } = figures;
  const text = `${now.toFixed(0).padStart(7)} /s   p50 ${p50.toFixed(2)}   p99 ${p99.toFixed(2)} ms   CPU ${cpu.toFixed(3)} ms`;
  console.log(`${round}  ${String(connections).padStart(2)}  ${line.name.padEnd(34)} ${text}${problem ? `   ${problem}` : ""}`);
}
