// Rust programs the build needs, compiled once per version into the user's cache folder.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.mjs";
import { capture, cargoProgress, Problem, root, step } from "./steps.mjs";

export const workerBuild = () => install("worker-build", "0.8.7", "worker-build", "about 1.5 min");

/** wasm-bindgen refuses a program whose version is not exactly the library's. */
export const wasmBindgen = () =>
  install("wasm-bindgen-cli", lockedVersion("wasm-bindgen"), "wasm-bindgen", "about 1 min");

/** cargo-deny: the user's own if there is one. */
export async function cargoDeny() {
  const { code } = await capture("cargo-deny", ["--version"]);
  return code === 0 ? "cargo-deny" : install("cargo-deny", "0.20.2", "cargo-deny", "about 4 min");
}

export const cargoCyclonedx = () =>
  install("cargo-cyclonedx", "0.5.9", "cargo-cyclonedx", "about 2 min");

async function install(crate, version, program, expected) {
  const folder = cached("tools", `${crate}-${version}`);
  const path = join(folder, "bin", program);
  if (existsSync(path)) return path;
  const build = cached("build", crate);
  // A debug build takes half as long to compile and is as fast where it is used.
  const args = ["install", "--debug", "--root", folder, `${crate}@${version}`];
  const compile = (...more) =>
    step(`Compiling ${crate} ${version}`, expected, "cargo", [...args, ...more], {
      log: ["cargo-install", crate],
      env: { ...process.env, ...cargoProgress, CARGO_PROFILE_DEV_DEBUG: "0", CARGO_TARGET_DIR: build },
    });
  try {
    await compile("--locked");
  } catch (error) {
    // A mirror of the registry may lack a version that the program's own lock file names.
    if (!/failed to select a version/.test(error.message)) throw error;
    console.log("This registry lacks a version it was released with; taking the newest that fit.");
    await compile();
  }
  rmSync(build, { recursive: true, force: true });
  return path;
}

function lockedVersion(crate) {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const found = lock.match(new RegExp(`^name = "${crate}"\\nversion = "(.*)"$`, "m"));
  if (!found) throw new Problem(`Cargo.lock does not name ${crate}.`);
  return found[1];
}
