// Asks @simplewebauthn/server, PyPI's fido2 and webauthn-rs what they say of tests/vectors/webauthn-messages.json, and
// holds that against our own verdicts, which stand in the file. `node tests/webauthn/opinions/run.mjs` from anywhere;
// it installs what it needs (npm, Python 3 with venv, cargo). The first time takes about 3 minutes.
import { spawn } from "node:child_process";
import { createReadStream, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { environment, installPackages, tool } from "../../../scripts/lib/npm.mjs";
import { pythonTools } from "../../../scripts/lib/python.mjs";
import { main, Problem, root } from "../../../scripts/lib/steps.mjs";
import { compare } from "./differences.mjs";

const here = join(root, "tests", "webauthn", "opinions");
const made = join(root, "target", "webauthn-opinions");
const messages = join(root, "tests", "vectors", "webauthn-messages.json");

await main(async () => {
  const requirements = "tests/webauthn/opinions/requirements.txt";
  const python = await pythonTools(join(made, "python"), "fido2", ["-r", requirements], { files: [requirements] });
  await installPackages(here);
  const manifest = join(here, "webauthn-rs", "Cargo.toml");
  const opinions = {
    "@simplewebauthn/server": [tool("node"), [join(here, "simplewebauthn.mjs")]],
    fido2: [python("python"), [join(here, "fido2_opinion.py")]],
    "webauthn-rs": ["cargo", ["run", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir", join(made, "webauthn-rs")]],
  };
  const ours = JSON.parse(readFileSync(messages, "utf8"));
  const unexplained = [];
  for (const [name, [command, args]] of Object.entries(opinions)) {
    const theirs = JSON.parse(await ask(command, args));
    const { summary, problems } = compare(name, ours, theirs);
    console.log(`${name}: ${summary}`);
    unexplained.push(...problems.map((problem) => `${name}: ${problem}`));
  }
  for (const problem of unexplained) console.error(problem);
  console.log(unexplained.length ? `\n${unexplained.length} differences are not explained.` : "\nAll differences are explained.");
  return unexplained.length ? 1 : 0;
});

/** What an opinion writes when it gets the messages. */
async function ask(command, args) {
  const child = spawn(command, args, { env: environment, stdio: ["pipe", "pipe", "inherit"] });
  createReadStream(messages).pipe(child.stdin);
  const ended = new Promise((resolve) => child.on("close", resolve));
  const answer = await text(child.stdout);
  const code = await ended;
  if (code !== 0) throw new Problem(`${command} ${args.join(" ")} ended with ${code}.`);
  return answer;
}
