// Candado on this machine: the Worker under wrangler, and the sandbox in place of Twilio and SendGrid.
import { createServer } from "node:net";
import { startSandbox } from "../../sandbox/server.mjs";
import { localVariables, prepareDatabase, wranglerEnvironment } from "./local.mjs";
import { installPackages, tool } from "./npm.mjs";
import { assembleSite } from "./site.mjs";
import { atEnd, eachLine, Problem, start } from "./steps.mjs";
import { build, deployed, entry } from "./worker.mjs";

/**
 * Builds what is missing and starts both; they end with the script. `ports` are free ones unless told, `state` is the
 * folder with D1 and KV, `kind` the build, and `take` gets each line of the Worker's log once it serves. `failure`
 * rejects when the Worker ends by itself.
 */
export async function startService({ ports = {}, state, kind = deployed, take = () => {} }) {
  const port = ports.service ?? (await freePort());
  const address = `http://localhost:${port}`;
  await build(kind);
  await installPackages();
  const { sandbox, variables } = await besideSandbox(localVariables(), { address, port: ports.sandbox });
  atEnd(() => sandbox.close());
  await assembleSite({ inbox: sandbox.url });
  await prepareDatabase(state);

  const args = [entry(kind), "--persist-to", state];
  for (const name of ["PUBLIC_URL", "TWILIO_BASE_URL", "SENDGRID_BASE_URL"]) args.push("--var", `${name}:${variables[name]}`);
  // wrangler builds both anew when a source changes.
  const env = { INBOX_URL: sandbox.url, CANDADO_WORKER: kind.name };
  const worker = await wranglerDev(args, { port, path: "/health", env, take });
  return { address, sandbox, variables, failure: worker.failure };
}

/** A sandbox that takes the credentials in `variables`, and these variables with the way to it. */
export async function besideSandbox(variables, { address, port = 0 }) {
  const sandbox = await startSandbox({
    port: Number(port),
    service: address,
    twilioAccountSid: variables.TWILIO_ACCOUNT_SID,
    twilioAuthToken: variables.TWILIO_AUTH_TOKEN,
    sendgridApiKey: variables.SENDGRID_API_KEY,
  });
  const urls = { PUBLIC_URL: address, TWILIO_BASE_URL: sandbox.url, SENDGRID_BASE_URL: sandbox.url };
  return { sandbox, variables: { ...variables, ...urls } };
}

/** Runs `wrangler dev` on a port until `path` is served there. */
export async function wranglerDev(args, { port, path = "/", env = {}, take = () => {} }) {
  const all = ["dev", "--ip", "127.0.0.1", "--port", port, "--show-interactive-dev-session=false", ...args];
  const child = start(tool("wrangler"), all, { stdio: ["ignore", "pipe", "pipe"], env: { ...wranglerEnvironment, ...env } });
  // Kept back until it serves, since it matters only if it does not.
  let output = "";
  let show = (line) => (output += `${line}\n`);
  for (const stream of ["stdout", "stderr"]) eachLine(child[stream], (line) => show(line, stream));
  const failure = child.ended.then(({ code, signal, error }) => {
    throw new Problem(`${output}\nwrangler dev ended (${error?.message ?? signal ?? `exit code ${code}`}).`);
  });
  // Who is not waiting for it has ended it.
  failure.catch(() => {});
  await Promise.race([ready(`http://127.0.0.1:${port}${path}`), failure]);
  [show, output] = [take, ""];
  return { address: `http://localhost:${port}`, failure };
}

async function ready(url) {
  const deadline = Date.now() + 60_000;
  let answer = "no answer";
  while (Date.now() < deadline) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
      if (response.ok) return;
      answer = `${response.status} ${await response.text()}`;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Problem(`The Worker does not get ready: ${url} gives ${answer}.`);
}

/** Answers a port once it could be listened on: `port`, or any free one. */
export function freePort(port = 0) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(Number(port), "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(String(port)));
    });
  });
}
