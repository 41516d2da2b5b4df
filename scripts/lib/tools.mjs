// Rust programs the build needs, compiled once per version into the user's cache folder.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.mjs";
import { cargoProgress } from "./progress.mjs";
import { capture, Problem, say, sideBySide, step } from "./steps.mjs";

/** wasm-bindgen refuses a program whose version is not exactly the library's. What it leaves out is for its tests. */
export const wasmBindgen = async () =>
  compiled("wasm-bindgen-cli", await lockedVersion("wasm-bindgen"), {
    program: "wasm-bindgen",
    seconds: 35,
    options: ["--bin", "wasm-bindgen", "--no-default-features"],
  });

/** cargo-deny, the user's own if there is one, and its database of known vulnerabilities. */
export async function cargoDeny() {
  const own = (await capture("cargo-deny", ["--version"])).code === 0;
  const program = own ? "cargo-deny" : await present(compiled("cargo-deny", "0.20.2", { seconds: 240 }));
  return {
    program,
    /** Whether the database is here now; says so if it is not. */
    async fetchAdvisories() {
      const { code } = await capture(program, ["fetch", "db"]);
      if (code !== 0) console.log("\nThe database of advisories (github.com) is out of reach: the crates are not checked for known vulnerabilities.");
      return code === 0;
    },
  };
}

export const cargoCyclonedx = () => present(compiled("cargo-cyclonedx", "0.5.9", { seconds: 120 }));

/** A program and, while it is missing, the job that makes it. */
function compiled(crate, version, { program = crate, seconds, options = [] }) {
  const folder = cached("tools", `${crate}-${version}`);
  const path = join(folder, "bin", program);
  const run = () => install(folder, crate, version, seconds, options);
  return { path, jobs: existsSync(path) ? [] : [{ title: `${crate} ${version}`, seconds, run }] };
}

async function present({ path, jobs }) {
  await sideBySide(jobs);
  return path;
}

async function install(folder, crate, version, seconds, options) {
  const build = cached("build", crate);
  // A debug build takes half as long to compile and is as fast where it is used.
  const args = ["install", "--debug", "--root", folder, `${crate}@${version}`, ...options];
  const compile = (...more) =>
    step(`Compiling ${crate} ${version}`, `about ${seconds} s`, "cargo", [...args, ...more], {
      log: ["cargo-install", crate],
      env: { ...process.env, ...cargoProgress, CARGO_PROFILE_DEV_DEBUG: "0", CARGO_TARGET_DIR: build },
    });
  try {
    await compile("--locked");
  } catch (error) {
    // A mirror of the registry may lack a version that the program's own lock file names.
    if (!/failed to select a version/.test(error.message)) throw error;
    say(`This registry lacks a version that ${crate} was released with; taking the newest that fit.`);
    await compile();
  }
  rmSync(build, { recursive: true, force: true });
}

/** The version of a crate in Cargo.lock. */
async function lockedVersion(crate) {
  const { code, stdout } = await capture("cargo", ["pkgid", "--locked", crate]);
  const version = stdout.match(/@([\w.+-]+)$/)?.[1];
  if (code !== 0 || !version) throw new Problem(`Cargo.lock does not name ${crate}, or not in one version.`);
  return version;
}
