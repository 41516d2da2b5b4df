// npm run check: formatting, clippy for both targets, dependencies. Warnings are errors here, not in the source.
import { join } from "node:path";
import { wasmTargetDir } from "./build.mjs";
import { wasmToolchain } from "./rust.mjs";
import { capture, main, show } from "./steps.mjs";
import { cargoDeny } from "./tools.mjs";

await main(async () => {
  const failed = [];
  const check = async (name, command, args, env = {}) => {
    console.log(`\n${name}`);
    const { code } = await show(command, args, { env: { ...process.env, ...env } });
    if (code !== 0) failed.push(name);
  };

  await check("Formatting", "cargo", ["fmt", "--check"]);
  await check("Clippy, native", "cargo", ["clippy", "--locked", "--all-targets", "--", "-D", "warnings"]);
  const { description, environment } = await wasmToolchain();
  const clippy = ["clippy", "--locked", "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"];
  // Called by its own name: `cargo clippy` would look in the user's cargo folder first.
  await check(`Clippy, wasm32, with ${description}`, environment.CARGO ? "cargo-clippy" : "cargo", clippy, {
    ...environment,
    CARGO_TARGET_DIR: wasmTargetDir,
  });
  await checkDependencies(check);

  console.log(failed.length ? `\nFailed: ${failed.join("; ")}` : "\nAll checks passed.");
  return failed.length ? 1 : 0;
});

async function checkDependencies(check) {
  const program = await cargoDeny();
  const { code } = await capture(program, ["fetch", "db"]);
  const advisories = code === 0 ? ["advisories"] : [];
  if (code !== 0) console.log("\nThe database of advisories (github.com) is out of reach: known vulnerabilities are not checked.");
  await check("Dependencies", program, ["check", ...advisories, "bans", "licenses", "sources"]);
}
