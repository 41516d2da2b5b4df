// The Worker, built and bundled.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wranglerEnvironment } from "./local.mjs";
import { environment, packageJobs, tool } from "./npm.mjs";
import { cargoProgress } from "./progress.mjs";
import { wasmToolchain } from "./rust.mjs";
import { root, sideBySide, step } from "./steps.mjs";
import { wasmBindgen, workerBuild } from "./tools.mjs";

// Apart from native builds: a different compiler would have each of the two compile everything anew.
export const wasmTargetDir = join(root, "target", "wasm");
const target = "wasm32-unknown-unknown";

/** What is deployed, and what the Worker's tests run. */
export const deployed = {
  name: "deployed",
  profile: "release",
  folder: "build",
  seconds: { first: 75, again: 30 },
  variables: { CARGO_PROFILE_RELEASE_LTO: "fat" },
  packing: ["--release"],
  finish: shrink,
};

/** What `npm start` runs: compiled in half the time, into a folder that is never deployed. */
export const local = {
  name: "local",
  profile: "local",
  folder: "target/local-worker",
  seconds: { first: 40, again: 10 },
  variables: {},
  packing: ["--profile", "local", "--no-opt"],
};

/** That of scripts/build.mjs, which wrangler runs: told by `startService`, else what is deployed. */
export const wantedBuild = process.env.CANDADO_WORKER === "local" ? local : deployed;

/** Where wrangler finds it. */
export const entry = ({ folder }) => join(folder, "index.js");

/** Builds it into its folder, with whatever that needs; does nothing if it is current. */
export async function build(kind = deployed) {
  const toolchain = await wasmToolchain();
  const wanted = digest(`${kind.profile} ${toolchain.description}`);
  const outputs = ["index.js", "index_bg.wasm"].map((name) => join(root, kind.folder, name));
  const stamp = join(wasmTargetDir, `built-from-${kind.profile}`);
  if (outputs.every(existsSync) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;

  console.log(`Compiling to wasm with ${toolchain.description}.`);
  const [packer, bindgen] = await Promise.all([workerBuild(), wasmBindgen()]);
  const path = [toolchain.environment.PATH, environment.PATH].filter(Boolean).join(":");
  const shim = join(root, "scripts", "lib", "cdylib");
  const env = {
    ...environment,
    ...toolchain.environment,
    ...cargoProgress,
    PATH: `${shim}:${path}`,
    PATH_TO_CARGO: path,
    CARGO_TARGET_DIR: wasmTargetDir,
    ...kind.variables,
    // worker-build would add its own backtrace to a compiler's error.
    RUST_BACKTRACE: "0",
    // worker-build compiles with it too, and would otherwise compile anew.
    WASM_BINDGEN_USE_JS_SYS: "1",
    // A request goes on when its caller hangs up: a code that was stored is sent, or taken back.
    RUN_TO_COMPLETION: "1",
    // Without these worker-build downloads its own from GitHub.
    WASM_BINDGEN_BIN: bindgen.path,
    WASM_OPT_BIN: tool("wasm-opt"),
    ESBUILD_BIN: tool("esbuild"),
  };
  rmSync(stamp, { force: true });

  // As worker-build asks for it below, which then finds it compiled.
  const args = ["build", "--lib", "--profile", kind.profile, "--target", target];
  const first = !existsSync(join(wasmTargetDir, target, kind.profile));
  const seconds = first ? kind.seconds.first : kind.seconds.again;
  const compile = () => step("Compiling the Worker", `about ${seconds} s`, join(shim, "cargo"), args, { env, log: ["cargo-wasm"] });
  await sideBySide([...packageJobs(), ...packer.jobs, ...bindgen.jobs, { title: "the Worker", seconds, run: compile }]);

  const packing = [...kind.packing, "--out-dir", kind.folder];
  await step("Packing the Worker", "about 5 s", packer.path, packing, { env, log: ["worker-build"] });
  await kind.finish?.(outputs[1], env);
  writeFileSync(stamp, wanted);
}

/**
 * worker-build optimises for speed and keeps the names of functions, a seventh of what is uploaded; a panic is logged
 * with its place anyway.
 */
async function shrink(wasm, env) {
  const shrunk = join(wasmTargetDir, "shrunk.wasm");
  const args = ["-Oz", "--strip-debug", "--strip-producers", wasm, "-o", shrunk];
  await step("Shrinking", "about 6 s", tool("wasm-opt"), args, { env, log: ["shrink"] });
  renameSync(shrunk, wasm);
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
function digest(how) {
  const hash = createHash("sha256").update(how);
  for (const path of ["src", "migrations", "Cargo.toml", "Cargo.lock", "package-lock.json", "scripts/lib/worker.mjs", "scripts/lib/cdylib"].flatMap(files)) {
    const content = readFileSync(join(root, path));
    hash.update(`\n${path} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

function files(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path)).sort().flatMap((name) => files(`${path}/${name}`));
}
