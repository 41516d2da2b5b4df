// What a program and everything it started have used, from /proc.
import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100;

/** Seconds of CPU since each of them started. */
export const cpuSeconds = (roots) => family(roots).reduce((sum, { cpu }) => sum + cpu, 0);

/** Bytes of memory, what they share counted once. */
export function memory(roots) {
  return family(roots).reduce((sum, { pid }) => sum + proportionalSet(pid), 0);
}

export const childrenOf = (pid) => all().filter(({ parent }) => parent === pid).map(({ pid }) => pid);

/** The processes `roots` and all their descendants. */
function family(roots) {
  const running = all();
  const members = new Map();
  for (let grown = true; grown; ) {
    grown = false;
    for (const process of running) {
      if (members.has(process.pid) || !(roots.includes(process.pid) || members.has(process.parent))) continue;
      members.set(process.pid, process);
      grown = true;
    }
  }
  return [...members.values()];
}

const all = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(processOf).filter(Boolean);

/** `null` if it has ended. */
function processOf(name) {
  const text = read(`/proc/${name}/stat`);
  // The name of the program may contain anything, but the last parenthesis ends it.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  if (!fields) return null;
  // With the time of children that have ended and were waited for (proc(5), fields 14 to 17).
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number(name), parent: Number(fields[1]), cpu: ticks / TICKS_PER_SECOND };
}

const proportionalSet = (pid) => 1024 * Number(read(`/proc/${pid}/smaps_rollup`)?.match(/^Pss: +(\d+) kB/m)?.[1] ?? 0);

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
