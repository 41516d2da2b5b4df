// One turn of load: wrk sends right codes that nobody has used, and everything the contender spent meanwhile is read.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture, field, Problem, runs } from "./repository.mjs";
import { bytesWritten } from "./disk.mjs";
import { cpuSeconds, memory } from "./processes.mjs";
import { codeOf, PERIOD, presentStep } from "./users.mjs";

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

/**
 * Loads a running contender from that many connections. `users` are verified in their order, each once for each of
 * `steps`, which are counted from the present one. `begin` is called when the load begins.
 */
export async function turn(running, { connections, seconds, users, steps = [0], begin = () => {} }) {
  await unusedStep(running, steps);
  const step = presentStep();
  running.lastStep = step + steps.at(-1);
  const files = prepare(running, steps.flatMap((distance) => users.map((n) => [n, step + distance])));

  const roots = running.roots();
  const before = await spent(running, roots);
  const looking = setInterval(() => (running.peak = Math.max(running.peak ?? 0, memory(roots))), 1000);
  begin();
  const result = await wrk(running, connections, seconds, files);
  await quiet(roots);
  clearInterval(looking);
  running.peak = Math.max(running.peak ?? 0, memory(roots));
  const after = await spent(running, roots);

  return report(running, connections, result, before, after);
}

async function spent(running, roots) {
  const written = await bytesWritten();
  return { written, cpu: cpuSeconds(roots), stored: await running.stored() };
}

/** A right code of this step must not have been used by the turn before. */
async function unusedStep(running, steps) {
  const free = (running.lastStep ?? 0) + 1 - steps[0];
  while (presentStep() < free) await sleep(PERIOD - ((Date.now() / 1000) % PERIOD) + 0.05);
}

function prepare(running, pairs) {
  const folder = runs("load");
  mkdirSync(folder, { recursive: true });
  const lines = pairs.map(([n, step]) => running.request(n, codeOf(n, step)).body);
  const lengths = new Set(lines.map((line) => line.length));
  if (lengths.size !== 1) throw new Problem(`${running.name}: the requests of a turn are not of one length.`);
  const { path, headers } = running.request(0, "000000");
  const { host } = new URL(running.origin);
  const all = { Host: host, ...headers, "Content-Length": lines[0].length };
  const head = [`POST ${path} HTTP/1.1`, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`), "", ""];
  const files = { bodies: join(folder, "bodies"), head: join(folder, "head") };
  writeFileSync(files.bodies, lines.join("\n"));
  writeFileSync(files.head, head.join("\r\n"));
  return files;
}

async function wrk(running, connections, seconds, { bodies, head }) {
  const threads = connections > 1 ? 2 : 1;
  const args = ["-t", threads, "-c", connections, "-d", `${seconds}s`, "--timeout", "30s", "-s", field("harness", "load.lua")];
  const { code, stdout } = await capture("wrk", [...args, running.origin, "--", bodies, head, running.mark, threads].map(String));
  const result = stdout.match(/^RESULT (.*)$/m);
  if (code !== 0 || !result) throw new Problem(`wrk failed for ${running.name}:\n${stdout}`);
  return JSON.parse(result[1]);
}

/** Waits until nothing is worked on any more: wrk leaves requests behind that the contender still answers. */
async function quiet(roots) {
  for (let last = -1, tries = 0; tries < 100; tries++) {
    const cpu = cpuSeconds(roots);
    if (cpu - last < 0.02) return;
    last = cpu;
    await sleep(0.25);
  }
}

function report(running, connections, result, before, after) {
  const { requests, microseconds, p50, p99, refused, broken, out, good, bad } = result;
  const wrong = running.mark === "-" ? refused : bad;
  // What was stored counts for the costs: it has the requests too whose answer wrk did not wait for. A floor stores nothing.
  const stored = after.stored === null ? requests : after.stored - before.stored;
  const problem =
    (out && "the users ran out") ||
    (wrong && `${wrong} right codes were refused`) ||
    (broken && `${broken} connections broke`) ||
    (requests === 0 && "nothing was answered") ||
    (stored < (running.mark === "-" ? requests : good) && `${requests} were accepted and ${stored} stored`) ||
    (stored > requests + connections && `${requests} were accepted and ${stored} stored`) ||
    null;
  return {
    problem,
    requests,
    stored,
    rate: requests / (microseconds / 1e6),
    p50: p50 / 1000,
    p99: p99 / 1000,
    cpu: (1000 * (after.cpu - before.cpu)) / stored,
    written: after.stored === null || after.written === null ? null : (after.written - before.written) / stored,
  };
}
