// npm run test:site: the pages of public/ as wrangler serves them, looked at in Chromium.
import { browserArguments, chromium } from "./chromium.mjs";
import { docs } from "./docs.mjs";
import { wranglerEnvironment } from "./local.mjs";
import { environment, installPackages, tool } from "./npm.mjs";
import { main, show } from "./steps.mjs";

await main(async () => {
  await installPackages();
  const program = await chromium();
  await docs();
  const env = { ...environment, ...wranglerEnvironment, CHROMIUM: program, CHROMIUM_ARGUMENTS: browserArguments.join(" ") };
  const { code } = await show(tool("node"), ["--test", "--test-reporter", "spec", "tests/site/site.test.mjs"], { env });
  return code;
});
