// npm run test:web: builds the hosted page and the console and looks at them in Chromium, against the stand-in for the service. `pictures`
// opens every state on a phone, too, and keeps what is seen in target/web/pictures. Anything else names the files to run.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { browserVariables } from "./lib/chromium.mjs";
import { environment, tool } from "./lib/npm.mjs";
import { main, root, show } from "./lib/steps.mjs";
import { buildWeb } from "./lib/web.mjs";

const folder = join(root, "tests", "web");
const named = process.argv.slice(2);
const pictures = named[0] === "pictures";

/** All of them, the one that takes longest first. */
function files() {
  if (pictures) return ["states.test.ts", "emails.test.ts"].map((name) => join(folder, name));
  if (named.length > 0) return named;
  const all = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".test.ts"));
  return all.sort((a, b) => Number(b.startsWith("states")) - Number(a.startsWith("states"))).map((name) => join(folder, name));
}

await main(async () => {
  const browser = await browserVariables();
  await buildWeb();
  const env = { ...environment, ...browser, ...(pictures && { PICTURES: join(root, "target", "web", "pictures") }) };
  const { code } = await show(tool("node"), ["--test", "--test-concurrency", "2", "--test-reporter", "spec", ...files()], { env });
  return code;
});
