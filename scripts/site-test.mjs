// npm run test:site: the pages of public/ as wrangler serves them, looked at in Chromium.
import { configuration } from "../tests/site/stand-in.mjs";
import { browserVariables } from "./lib/chromium.mjs";
import { environment, installPackages, tool } from "./lib/npm.mjs";
import { freePort, wranglerDev } from "./lib/service.mjs";
import { assembleSite } from "./lib/site.mjs";
import { main, show } from "./lib/steps.mjs";

await main(async () => {
  await installPackages();
  const browser = await browserVariables();
  await assembleSite();
  const { address } = await wranglerDev(["--config", configuration()], { port: await freePort() });
  const env = { ...environment, ...browser, SITE_URL: address };
  const { code } = await show(tool("node"), ["--test", "--test-reporter", "spec", "tests/site/site.test.mjs"], { env });
  return code;
});
