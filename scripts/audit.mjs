// npm run audit: known vulnerabilities. Of the crates by cargo-deny, of the npm packages by npm: first those that
// ship (there are none: all are for development), then the others. What is out of reach is said, and is no failure.
import { capture, main, show } from "./steps.mjs";
import { cargoDeny } from "./tools.mjs";

await main(async () => {
  const failed = [];
  const program = await cargoDeny();
  if ((await capture(program, ["fetch", "db"])).code === 0) {
    if ((await show(program, ["check", "advisories"])).code !== 0) failed.push("crates");
  } else {
    console.log("The database of advisories (github.com) is out of reach: the crates are not checked.");
  }
  for (const [name, args] of [
    ["npm packages that ship", ["--omit=dev"]],
    ["npm packages for development", []],
  ]) {
    const { code, stdout } = await capture("npm", ["audit", "--json", ...args]);
    const { metadata } = parsed(stdout);
    if (!metadata) console.log(`The registry's audit is out of reach: the ${name} are not checked.`);
    else console.log(`${name}: ${metadata.vulnerabilities.total} known vulnerabilities`);
    if (metadata && code !== 0) failed.push(name);
  }
  if (failed.length) console.log(`\nVulnerable: ${failed.join("; ")}. Details: npm audit, cargo deny check advisories`);
  return failed.length ? 1 : 0;
});

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
