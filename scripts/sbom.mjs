// npm run sbom: what the Worker is made of (worker.cdx.json), and what it is built and tested with
// (development.cdx.json), as CycloneDX in target/sbom/. Both are read from the lock files; nothing is looked up.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture, main, Problem, root, step } from "./steps.mjs";
import { cargoCyclonedx } from "./tools.mjs";

const folder = join(root, "target", "sbom");

await main(async () => {
  mkdirSync(folder, { recursive: true });
  const worker = join(folder, "worker.cdx.json");
  const program = await cargoCyclonedx();
  // It always writes beside Cargo.toml.
  const name = "worker.cdx";
  const target = ["--target", "wasm32-unknown-unknown", "--no-build-deps"];
  const args = ["cyclonedx", "--format", "json", "--spec-version", "1.5", "--override-filename", name, ...target];
  await step("Listing the crates of the Worker", "about 1 s", program, args, { log: ["sbom"] });
  renameSync(join(root, `${name}.json`), worker);

  const development = join(folder, "development.cdx.json");
  const { code, stdout } = await capture("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]);
  if (code !== 0) throw new Problem("npm sbom failed; it needs npm 10 or later.");
  writeFileSync(development, `${stdout}\n`);

  for (const path of [worker, development]) {
    const { bomFormat, specVersion, components } = JSON.parse(readFileSync(path, "utf8"));
    console.log(`${path.slice(root.length)}: ${bomFormat} ${specVersion}, ${components.length} components`);
  }
});
