// What a reader has to know of the machine that measured.
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { median } from "./figures.mjs";
import { capture, runs } from "./repository.mjs";

export async function describeMachine() {
  const wrk = (await capture("dpkg-query", ["--show", "--showformat=${Version}", "wrk"])).stdout;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB of memory`;
  return `${availableParallelism()} cores of ${cpus()[0].model.trim()}, ${memory}, Linux ${release()}, a 4 KiB write and fsync in ${syncTime().toFixed(2)} ms, wrk ${wrk} on the same cores`;
}

export const load = () => loadavg()[0].toFixed(2);

/** The milliseconds of a write over 4 KiB that is on the disk: what every durable answer waits for. */
function syncTime() {
  mkdirSync(runs(), { recursive: true });
  const path = runs("sync");
  const file = openSync(path, "w");
  const block = Buffer.alloc(4096, 1);
  const times = Array.from({ length: 200 }, () => {
    const began = performance.now();
    writeSync(file, block, 0, block.length, 0);
    fsyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  rmSync(path);
  return median(times);
}
