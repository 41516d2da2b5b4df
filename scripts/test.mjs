// npm test: the native tests, then the tests of the built Worker under workerd. `native` or `worker` runs one part.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters as plain } from "node:util";
import { build, bundle, deployed } from "./lib/worker.mjs";
import { wranglerEnvironment } from "./lib/local.mjs";
import { environment, tool } from "./lib/npm.mjs";
import { main, Problem, root, show, step } from "./lib/steps.mjs";

const part = process.argv[2];
const color = process.stdout.isTTY;

/** The wasm has one thread for half of its time. What is wrong with this is said by `cargo test` itself. */
const nativeTests = {
  title: "the native tests",
  seconds: 120,
  run: () => step("Compiling the native tests", "about 120 s", "cargo", ["test", "--no-run", "--locked"], { log: ["cargo-tests"] }).catch(() => {}),
};

await main(async () => {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const broken = [];
  const attempt = async (name, run) => {
    try {
      await run(total, broken);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      console.error(`\n${error.message}`);
      broken.push(name);
    }
  };
  // The build comes first, so that a machine that lacks something says so before minutes of tests.
  const beside = part === "worker" ? [] : [nativeTests];
  if (part !== "native") await attempt("the wasm build", () => build(deployed, { beside }));
  if (part !== "worker") await attempt("cargo test", testNative);
  if (part !== "native" && !broken.includes("the wasm build")) await attempt("tests/worker", testWorker);

  const skipped = total.skipped ? `, ${total.skipped} skipped` : "";
  const incomplete = broken.length ? `; did not finish: ${broken.join(", ")}` : "";
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}${incomplete}`);
  return total.failed || broken.length ? 1 : 0;
});

async function testNative(total, broken) {
  console.log("\nNative tests (the first time about 2 min to compile)");
  const args = ["test", "--no-fail-fast", "--locked"];
  if (color) args.push("--color", "always", "--", "--color", "always");
  const { code, stdout } = await show("cargo", args);
  let failed = 0;
  for (const [, passed, failures, ignored] of plain(stdout).matchAll(/^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
    total.passed += Number(passed);
    failed += Number(failures);
    total.skipped += Number(ignored);
  }
  total.failed += failed;
  if (code !== 0 && failed === 0) broken.push("cargo test");
}

async function testWorker(total, broken) {
  console.log("\nTests of the Worker under workerd");
  const output = await bundle();
  console.log(output.match(/^Total Upload: .*$/m)?.[0] ?? "");

  const files = ["tests/worker", "sandbox", "scripts/lib", "benches/field/harness"].flatMap(testFiles);
  if (files.length === 0) return broken.push("tests/worker (no tests there)");
  const args = ["--test", "--test-reporter", "spec", ...files];
  const env = { ...environment, ...wranglerEnvironment, ...(color && { FORCE_COLOR: "1" }) };
  const { code, stdout } = await show(tool("node"), args, { env });
  const count = (name) => Number(plain(stdout).match(new RegExp(`^ℹ ${name} (\\d+)$`, "m"))?.[1] ?? 0);
  const failed = count("fail") + count("cancelled");
  total.passed += count("pass");
  total.failed += failed;
  total.skipped += count("skipped") + count("todo");
  if (code !== 0 && failed === 0) broken.push("node --test");
}

function testFiles(folder) {
  const path = join(root, folder);
  const names = existsSync(path) ? readdirSync(path) : [];
  return names.filter((name) => name.endsWith(".test.mjs")).map((name) => join(folder, name));
}
