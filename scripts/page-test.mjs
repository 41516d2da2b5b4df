// npm run test:page: the hosted page and the console in Chromium, against the native program, which this compiles with the page in it.
// `pictures` keeps what is seen in target/web/pictures. Anything else names the files to run.
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { browserVariables } from "./lib/chromium.mjs";
import { environment, installPackages, tool } from "./lib/npm.mjs";
import { nativeProgram } from "./lib/program.mjs";
import { assembleSite } from "./lib/site.mjs";
import { main, root, show } from "./lib/steps.mjs";

const folder = join(root, "tests", "page");
const named = process.argv.slice(2);
const pictures = named[0] === "pictures" && join(root, "target", "web", "pictures");

await main(async () => {
  const browser = await browserVariables();
  await installPackages();
  await assembleSite();
  if (pictures) mkdirSync(pictures, { recursive: true });
  const all = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  const files = named.length > 0 && !pictures ? named : all.map((name) => join(folder, name));
  const env = { ...environment, ...browser, CANDADO: await nativeProgram(), ...(pictures && { PICTURES: pictures }) };
  const { code } = await show(tool("node"), ["--test", "--test-concurrency", "2", "--test-reporter", "spec", ...files], { env });
  return code;
});
