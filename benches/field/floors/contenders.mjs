// What a request costs before anything is done with it: an empty Worker, and an empty server of axum.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { cargoProgress, field, runs, start, step } from "../harness/repository.mjs";
import { answers, freePort, openLog } from "../harness/servers.mjs";
import { size } from "../harness/sizes.mjs";
import { userId } from "../harness/users.mjs";
import { startWorkerd, workerdVersions } from "../workers/workerd.mjs";

const headers = { "Content-Type": "application/json" };
const nothing = {
  floor: true,
  request: (n, code) => ({ path: "/", headers, body: JSON.stringify({ user_id: userId(n), code }) }),
  mark: "-",
  stored: async () => null,
};

export const emptyWorker = {
  id: "empty-worker",
  name: "Empty Worker",
  expected: 8000,
  prepare: async () => {},
  versions: async () => workerdVersions(),
  deployed: async () => gzipSync(readFileSync(field("floors", "worker.js"))).length,
  async start(folder) {
    const script = { folder: field("floors"), modules: ["worker.js"] };
    return { ...(await startWorkerd(folder, { script, probe: "/" })), ...nothing };
  },
};

const target = runs("floor-axum");
const program = join(target, "server", "floor");

export const emptyAxum = {
  id: "empty-axum",
  name: "Empty axum server",
  expected: 60_000,
  async prepare() {
    const args = ["build", "--locked", "--profile", "server", "--manifest-path", field("floors", "axum", "Cargo.toml"), "--target-dir", target];
    await step("Compiling the empty axum server", "about 30 s", "cargo", args, { log: ["floor"], env: { ...process.env, ...cargoProgress } });
  },
  async versions() {
    const lock = readFileSync(field("floors", "axum", "Cargo.lock"), "utf8");
    return `axum ${lock.match(/name = "axum"\nversion = "(.*)"/)[1]}`;
  },
  deployed: async () => size(program),
  async start(folder) {
    const log = openLog(folder, "axum");
    const address = `127.0.0.1:${await freePort()}`;
    const server = start(program, [address], { stdio: ["ignore", log, log] });
    await answers(`http://${address}/`);
    return { origin: `http://${address}`, roots: () => [server.pid], ...nothing };
  },
};
