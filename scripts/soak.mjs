// npm run soak: the history test for half an hour, or for SOAK_SECONDS, with a new seed for every part of it.
import { wranglerEnvironment } from "./lib/local.mjs";
import { environment, tool } from "./lib/npm.mjs";
import { main, show } from "./lib/steps.mjs";
import { build, bundle } from "./lib/worker.mjs";

await main(async () => {
  await build();
  await bundle();
  const env = { SOAK_SECONDS: "1800", ...environment, ...wranglerEnvironment };
  const args = ["--test", "--test-reporter", "spec", "tests/worker/history.test.mjs"];
  return (await show(tool("node"), args, { env })).code;
});
