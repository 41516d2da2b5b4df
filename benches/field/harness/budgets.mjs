// What CI holds: counts and sizes, which a slow machine does not change, and no times.
import { Problem } from "./repository.mjs";

/** Bytes. */
const DEPLOYED = { candado: 12e6, "candado-worker": 480e3 };
const PEAK = { candado: 64e6 };
const ACCOUNT = 800;

export function assertBudgets({ lines, growth }) {
  const broken = [];
  const atMost = (what, value, most) => value > most && broken.push(`${what}: ${Math.round(value)}, at most ${most}`);
  for (const { id, name, missing, checks, turns, deployed, peak } of lines.filter(({ id }) => id in DEPLOYED)) {
    if (missing) broken.push(`${name}: ${missing}`);
    for (const { name: check, failed } of checks) if (failed) broken.push(`${name}: ${check}: ${failed}`);
    for (const { problem } of Object.values(turns).flat()) if (problem) broken.push(`${name}: ${problem}`);
    atMost(`${name}, bytes deployed`, deployed, DEPLOYED[id]);
    if (id in PEAK) atMost(`${name}, bytes of memory`, peak, PEAK[id]);
  }
  for (const { accounts, bytes } of growth) atMost(`${accounts} accounts, bytes each`, bytes, ACCOUNT);
  if (broken.length) throw new Problem(broken.join("\n"));
}
