// npm run check: formatting, clippy for both targets, dependencies. Warnings are errors here, not in the source.
import { checks } from "./lib/checks.mjs";
import { toolchainFor, wasm } from "./lib/rust.mjs";
import { main } from "./lib/steps.mjs";
import { cargoDeny } from "./lib/tools.mjs";
import { wasmTargetDir } from "./lib/worker.mjs";

await main(async () => {
  const { run, end } = checks();
  await run("Formatting", "cargo", ["fmt", "--check"]);
  await run("Clippy, native", "cargo", ["clippy", "--locked", "--all-targets", "--", "-D", "warnings"]);

  const { description, environment } = await toolchainFor(wasm);
  // Called by its own name: `cargo clippy` would look in the user's cargo folder first.
  const program = environment.CARGO ? "cargo-clippy" : "cargo";
  const clippy = ["clippy", "--locked", "--target", wasm, "--", "-D", "warnings"];
  const env = { ...process.env, ...environment, CARGO_TARGET_DIR: wasmTargetDir };
  await run(`Clippy, wasm32, with ${description}`, program, clippy, { env });

  const deny = await cargoDeny();
  const advisories = (await deny.fetchAdvisories()) ? ["advisories"] : [];
  await run("Dependencies", deny.program, ["check", ...advisories, "bans", "licenses", "sources"]);
  return end("All checks passed.");
});
