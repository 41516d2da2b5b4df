// npm run test:example: the login application's tests, in a browser, against a service of their own: the local build, as
// whoever tries the application has it.
import { join } from "node:path";
import { browserVariables } from "./lib/chromium.mjs";
import { serviceVariables } from "./lib/guided-client.mjs";
import { freshState } from "./lib/local.mjs";
import { startService } from "./lib/service.mjs";
import { main, root, show } from "./lib/steps.mjs";
import { local } from "./lib/worker.mjs";

await main(async () => {
  const browser = await browserVariables();
  const service = await startService({ state: freshState("example-test"), kind: local });
  const env = { ...process.env, ...browser, ...(await serviceVariables(service)) };
  return (await show("npm", ["test"], { cwd: join(root, "examples", "login-app"), env })).code;
});
