// npm run sbom: what the Worker (worker.cdx.json) and the native program (native.cdx.json) are made of, and what they
// are built and tested with (development.cdx.json), as CycloneDX in target/sbom/. All of it is read from the lock
// files; nothing is looked up.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture, main, Problem, root, step } from "./lib/steps.mjs";
import { cargoCyclonedx } from "./lib/tools.mjs";

const folder = join(root, "target", "sbom");

await main(async () => {
  mkdirSync(folder, { recursive: true });
  const program = await cargoCyclonedx();
  const worker = await crates(program, "worker", ["--target", "wasm32-unknown-unknown"]);
  const native = await crates(program, "native", []);

  const development = join(folder, "development.cdx.json");
  const { code, stdout } = await capture("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]);
  if (code !== 0) throw new Problem("npm sbom failed; it needs npm 10 or later.");
  writeFileSync(development, `${stdout}\n`);

  for (const path of [worker, native, development]) {
    const { bomFormat, specVersion, components } = JSON.parse(readFileSync(path, "utf8"));
    console.log(`${path.slice(root.length)}: ${bomFormat} ${specVersion}, ${components.length} components`);
  }
});

/** The crates one target links, and where the list of them is. */
async function crates(program, name, target) {
  // It always writes beside Cargo.toml.
  const args = ["cyclonedx", "--format", "json", "--spec-version", "1.5", "--override-filename", `${name}.cdx`, ...target, "--no-build-deps"];
  await step(`Listing the crates of the ${name === "worker" ? "Worker" : "native program"}`, "about 1 s", program, args, { log: ["sbom", name] });
  const path = join(folder, `${name}.cdx.json`);
  renameSync(join(root, `${name}.cdx.json`), path);
  return path;
}
