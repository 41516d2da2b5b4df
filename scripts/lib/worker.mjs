// The Worker, built and bundled.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wranglerEnvironment } from "./local.mjs";
import { packageJobs, tool } from "./npm.mjs";
import { pack } from "./pack.mjs";
import { cargoProgress } from "./progress.mjs";
import { releaseOf, takeWorker, workerFiles } from "./release.mjs";
import { toolchainFor, wasm } from "./rust.mjs";
import { root, sideBySide, step } from "./steps.mjs";
import { wasmBindgen } from "./tools.mjs";

// Apart from native builds: a different compiler would have each of the two compile everything anew.
export const wasmTargetDir = join(root, "target", "wasm");

// What rustc makes use of and workerd knows.
const features = [
  "mutable-globals",
  "sign-ext",
  "nontrapping-float-to-int",
  "bulk-memory",
  "multivalue",
  "reference-types",
  "exception-handling",
].map((name) => `--enable-${name}`);

/** What is deployed, and what the Worker's tests run. */
export const deployed = {
  name: "deployed",
  profile: "release",
  folder: "build",
  seconds: { first: 75, again: 30 },
  variables: { CARGO_PROFILE_RELEASE_LTO: "fat" },
  finish: shrink,
};

/** What `npm start` runs: that of a release, or compiled in half the time; in a folder that is never deployed. */
export const local = {
  name: "local",
  ofRelease: true,
  profile: "local",
  folder: "target/local-worker",
  seconds: { first: 40, again: 10 },
  variables: {},
};

/** That of scripts/build.mjs, which wrangler runs: told by `startService`, else what is deployed. */
export const wantedBuild = process.env.CANDADO_WORKER === "local" ? local : deployed;

/** Where wrangler finds it. */
export const entry = ({ folder }) => join(folder, "index.js");

/** Builds it into its folder, with whatever that needs, and does `beside` meanwhile; does nothing if it is current. */
export async function build(kind = deployed, { beside = [] } = {}) {
  const folder = join(root, kind.folder);
  const stamp = join(wasmTargetDir, `built-from-${kind.profile}`);
  const isCurrent = (how) =>
    workerFiles.every((name) => existsSync(join(folder, name))) && existsSync(stamp) && readFileSync(stamp, "utf8") === how;
  const write = (how) => {
    mkdirSync(wasmTargetDir, { recursive: true });
    writeFileSync(stamp, how);
  };

  const sources = sourcesDigest();
  const release = kind.ofRelease && releaseOf(sources);
  if (release) {
    const how = `${sources} taken ${release.sha256}`;
    if (isCurrent(how)) return;
    if (await takeWorker(release, folder)) return write(how);
  }

  const toolchain = await toolchainFor(wasm);
  const how = `${sources} ${toolchain.description}`;
  if (isCurrent(how)) return;
  console.log(`Compiling to wasm with ${toolchain.description}.`);
  rmSync(stamp, { force: true });
  const bindgen = await wasmBindgen();
  const first = !existsSync(join(wasmTargetDir, wasm, kind.profile));
  const seconds = first ? kind.seconds.first : kind.seconds.again;
  const job = { title: "the Worker", seconds, run: () => compile(kind, seconds, toolchain.environment) };
  await sideBySide([...packageJobs(), ...bindgen.jobs, job, ...beside]);

  const compiled = join(wasmTargetDir, wasm, kind.profile, "candado.wasm");
  await pack(compiled, folder, { bindgen: bindgen.path, finish: kind.finish });
  write(how);
}

/** Without the `rlib` that native tests link, beside which cargo drops LTO without a word. */
function compile({ profile, variables }, seconds, environment) {
  const env = {
    ...process.env,
    ...environment,
    ...cargoProgress,
    ...variables,
    CARGO_TARGET_DIR: wasmTargetDir,
    // As worker-build compiles: promises come from js-sys, and a second crate for them is not linked.
    WASM_BINDGEN_USE_JS_SYS: "1",
  };
  const args = ["rustc", "--lib", "--crate-type", "cdylib", "--profile", profile, "--target", wasm];
  return step("Compiling the Worker", `about ${seconds} s`, environment.CARGO ?? "cargo", args, { env, log: ["cargo-wasm"] });
}

/** For size, and without the names of functions, a seventh of what is uploaded; a panic is logged with its place anyway. */
async function shrink(module) {
  const args = ["-Oz", ...features, "--strip-debug", "--strip-producers", module, "-o", module];
  await step("Shrinking", "about 10 s", tool("wasm-opt"), args, { log: ["shrink"] });
}

/** What wrangler makes of the deployed build to upload it, into dist/; answers what wrangler says of it. */
export function bundle() {
  // Nothing of an earlier build may be tested in place of this one.
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const args = ["deploy", "--dry-run", "--outdir", "dist"];
  const options = { env: wranglerEnvironment, log: ["bundle"] };
  return step("Bundling the Worker into dist/", "about 3 s", tool("wrangler"), args, options);
}

/** A digest of everything the build reads. */
export function sourcesDigest() {
  const hash = createHash("sha256");
  const own = ["worker", "pack", "entry"].map((name) => `scripts/lib/${name}.mjs`);
  for (const path of ["src", "migrations", ".cargo", "Cargo.toml", "Cargo.lock", "package-lock.json", ...own].flatMap(files)) {
    const content = readFileSync(join(root, path));
    hash.update(`\n${path} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

function files(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path)).sort().flatMap((name) => files(`${path}/${name}`));
}
