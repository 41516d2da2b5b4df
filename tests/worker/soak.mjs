// npm run soak: the history test for half an hour, or for SOAK_SECONDS, with a new seed for every part of it.
import { build } from "../../scripts/build.mjs";
import { wranglerEnvironment } from "../../scripts/local.mjs";
import { environment, tool } from "../../scripts/npm.mjs";
import { main, show, step } from "../../scripts/steps.mjs";

await main(async () => {
  await build();
  const bundle = ["deploy", "--dry-run", "--outdir", "dist"];
  await step("Bundling the Worker into dist/", "about 3 s", tool("wrangler"), bundle, { env: wranglerEnvironment, log: ["bundle"] });
  const env = { SOAK_SECONDS: "1800", ...environment, ...wranglerEnvironment };
  const args = ["--test", "--test-reporter", "spec", "tests/worker/history.test.mjs"];
  return (await show(tool("node"), args, { env })).code;
});
