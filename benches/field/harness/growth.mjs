// What a verification and an account cost the native program as its accounts grow in number.
import { rmSync } from "node:fs";
import { candadoNative } from "../candado/native.mjs";
import { turn } from "./load.mjs";
import { capture, runs } from "./repository.mjs";

const CONNECTIONS = 64;
const TURNS = 3;

/** A number without a common factor with any count here, to meet the accounts in no order of theirs. */
const STRIDE = 7_368_787;

export async function growth(sizes, contender = candadoNative) {
  const points = [];
  for (const accounts of sizes) {
    points.push(await measure(accounts, contender));
    const { bytes, rate, cpu, p99 } = points.at(-1);
    console.log(`${accounts} accounts: ${bytes.toFixed(0)} bytes each, ${rate.toFixed(0)} verifications/s, CPU ${cpu.toFixed(3)} ms, p99 ${p99.toFixed(1)} ms`);
  }
  return points;
}

async function measure(accounts, contender) {
  const folder = runs("data", "growth");
  rmSync(folder, { recursive: true, force: true });
  const running = { ...contender, ...(await contender.start(folder)) };
  const empty = await running.bytes();
  await running.enrol(Array.from({ length: accounts }, (_, index) => index));
  const bytes = ((await running.bytes()) - empty) / accounts;
  // What filling has left to be written is no cost of a verification.
  await capture("sync", []);

  const turns = [];
  let rate = contender.expected;
  for (let number = 0; number < TURNS; number++) {
    // More than can be answered in a second; where there are not as many, each with the codes of three steps.
    const wanted = Math.ceil(1.6 * Math.max(rate, contender.expected)) + 10 * CONNECTIONS;
    const users = sample(accounts, Math.min(accounts, wanted), number);
    const steps = users.length < wanted ? [-1, 0, 1] : [0];
    const figures = await turn(running, { connections: CONNECTIONS, seconds: 1, users, steps });
    if (figures.problem) throw new Error(`${accounts} accounts: ${figures.problem}`);
    turns.push(figures);
    rate = figures.rate;
  }
  await running.stop();
  const middle = (key) => turns.map((figures) => figures[key]).sort((a, b) => a - b)[Math.floor(TURNS / 2)];
  rmSync(folder, { recursive: true, force: true });
  return { accounts, bytes, rate: middle("rate"), cpu: middle("cpu"), p50: middle("p50"), p99: middle("p99") };
}

/** Others in each turn, as far as there are others. */
const sample = (accounts, count, turn) =>
  Array.from({ length: count }, (_, index) => Number((BigInt(index + turn * count) * BigInt(STRIDE)) % BigInt(accounts)));
