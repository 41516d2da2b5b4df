// The Worker, built and bundled.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wranglerEnvironment } from "./local.mjs";
import { environment, installPackages, tool } from "./npm.mjs";
import { cargoProgress } from "./progress.mjs";
import { wasmToolchain } from "./rust.mjs";
import { root, step } from "./steps.mjs";
import { wasmBindgen, workerBuild } from "./tools.mjs";

// Apart from native builds: a different compiler would have each of the two compile everything anew.
export const wasmTargetDir = join(root, "target", "wasm");
const stamp = join(wasmTargetDir, "built-from");
const outputs = ["build/index.js", "build/index_bg.wasm"].map((path) => join(root, path));

/** Builds it into build/; does nothing if that is current. */
export async function build() {
  await installPackages();
  const toolchain = await wasmToolchain();
  const wanted = digest(toolchain.description);
  if (outputs.every(existsSync) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;

  console.log(`Compiling to wasm with ${toolchain.description}.`);
  const program = await workerBuild();
  const path = [toolchain.environment.PATH, environment.PATH].filter(Boolean).join(":");
  const env = {
    ...environment,
    ...toolchain.environment,
    ...cargoProgress,
    PATH: `${join(root, "scripts", "lib", "cdylib")}:${path}`,
    PATH_TO_CARGO: path,
    CARGO_TARGET_DIR: wasmTargetDir,
    CARGO_PROFILE_RELEASE_LTO: "fat",
    // worker-build would add its own backtrace to a compiler's error.
    RUST_BACKTRACE: "0",
    // A request goes on when its caller hangs up: a code that was stored is sent, or taken back.
    RUN_TO_COMPLETION: "1",
    // Without these worker-build downloads its own from GitHub.
    WASM_BINDGEN_BIN: await wasmBindgen(),
    WASM_OPT_BIN: tool("wasm-opt"),
    ESBUILD_BIN: tool("esbuild"),
  };
  rmSync(stamp, { force: true });
  const first = !existsSync(join(wasmTargetDir, "wasm32-unknown-unknown"));
  await step("Building the Worker", first ? "about 2 min" : "about 40 s", program, ["--release"], { env, log: ["worker-build"] });
  await shrink(env);
  writeFileSync(stamp, wanted);
}

/**
 * worker-build optimises for speed and keeps the names of functions, a seventh of what is uploaded; a panic is logged
 * with its place anyway.
 */
async function shrink(env) {
  const wasm = outputs[1];
  const shrunk = join(wasmTargetDir, "shrunk.wasm");
  const args = ["-Oz", "--strip-debug", "--strip-producers", wasm, "-o", shrunk];
  await step("Shrinking", "about 6 s", tool("wasm-opt"), args, { env, log: ["shrink"] });
  renameSync(shrunk, wasm);
}

/** What wrangler makes of the build to upload it, into dist/; answers what wrangler says of it. */
export function bundle() {
  // Nothing of an earlier build may be tested in place of this one.
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const args = ["deploy", "--dry-run", "--outdir", "dist"];
  const options = { env: wranglerEnvironment, log: ["bundle"] };
  return step("Bundling the Worker into dist/", "about 3 s", tool("wrangler"), args, options);
}

/** A digest of everything the build reads. */
function digest(toolchain) {
  const hash = createHash("sha256").update(toolchain);
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
