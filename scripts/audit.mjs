// npm run audit: known vulnerabilities. Of the crates by cargo-deny, of the npm packages by npm: first those that
// ship (there are none: all are for development), then the others. What is out of reach is said, and is no failure.
import { checks } from "./lib/checks.mjs";
import { capture, main } from "./lib/steps.mjs";
import { cargoDeny } from "./lib/tools.mjs";

await main(async () => {
  const { note, run, end } = checks();
  const deny = await cargoDeny();
  if (await deny.fetchAdvisories()) await run("Crates", deny.program, ["check", "advisories"]);
  for (const [name, args] of [
    ["npm packages that ship", ["--omit=dev"]],
    ["npm packages for development", []],
  ]) {
    const { code, stdout } = await capture("npm", ["audit", "--json", ...args]);
    const { metadata } = parsed(stdout);
    if (!metadata) console.log(`The registry's audit is out of reach: the ${name} are not checked.`);
    else console.log(`${name}: ${metadata.vulnerabilities.total} known vulnerabilities`);
    note(`${name} (details: npm audit)`, !metadata || code === 0);
  }
  return end("Nothing that is known, in what could be checked.");
});

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
