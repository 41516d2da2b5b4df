// What makes a Worker of the compiled crate: wasm-bindgen's script, ours around it, and both in one file.
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, step } from "./steps.mjs";

/**
 * Packs `wasm` into index.js and index_bg.wasm in `folder`; `finish` gets the path of the second before they are put
 * there.
 */
export async function pack(wasm, folder, { bindgen, finish = () => {} }) {
  const stage = join(root, "target", `packing-${process.pid}`);
  rmSync(stage, { recursive: true, force: true });
  const args = [wasm, "--out-dir", stage, "--out-name", "bindings", "--target", "module", "--no-typescript"];
  // Both are what entry.mjs calls after a panic.
  const recovery = ["--experimental-reset-state-function", "--force-enable-abort-handler"];
  await step("Binding the Worker to JavaScript", "about 2 s", bindgen, [...args, ...recovery], { log: ["wasm-bindgen"] });
  cpSync(join(root, "scripts", "lib", "entry.mjs"), join(stage, "entry.mjs"));

  const { build } = await import("esbuild");
  const { outputFiles: [{ text }] } = await build({
    absWorkingDir: stage,
    entryPoints: ["entry.mjs"],
    bundle: true,
    minify: true,
    format: "esm",
    external: ["./bindings_bg.wasm", "cloudflare:*"],
    write: false,
  });
  const packed = join(stage, "index_bg.wasm");
  renameSync(join(stage, "bindings_bg.wasm"), packed);
  await finish(packed);
  // workerd imports a module of wasm without the proposal's word.
  writeFileSync(join(stage, "index.js"), text.replace(/import source (?=\w+ from)/, "import ").replace("./bindings_bg.wasm", "./index_bg.wasm"));
  mkdirSync(folder, { recursive: true });
  for (const name of ["index_bg.wasm", "index.js"]) renameSync(join(stage, name), join(folder, name));
  rmSync(stage, { recursive: true, force: true });
}
