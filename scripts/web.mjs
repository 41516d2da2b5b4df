// npm run web: builds the hosted page and the console, and serves every state of it by name, against the stand-in for the service, on
// PORT (8787) until it is ended. `build` builds and nothing else.
import { join } from "node:path";
import { environment, tool } from "./lib/npm.mjs";
import { main, root, show } from "./lib/steps.mjs";
import { buildWeb } from "./lib/web.mjs";

await main(async () => {
  await buildWeb();
  if (process.argv[2] === "build") return 0;
  const { code } = await show(tool("node"), [join(root, "web", "dev", "start.ts"), process.env.PORT ?? "8787"], { env: environment });
  return code;
});
