// npm start: prepares what is missing, then runs the Worker and the sandbox until Ctrl-C.
import { createServer } from "node:net";
import { build } from "./build.mjs";
import { demoClient, localVariables, prepareDatabase, wranglerEnvironment } from "./local.mjs";
import { tool } from "./npm.mjs";
import { requestLine } from "./request-line.mjs";
import { eachLine, main, Problem, start } from "./steps.mjs";

const port = process.env.PORT || "8787";
const sandboxPort = process.env.SANDBOX_PORT || "8026";
const address = `http://localhost:${port}`;
const sandboxAddress = `http://localhost:${sandboxPort}`;

await main(async () => {
  await requireFree("PORT", port);
  await requireFree("SANDBOX_PORT", sandboxPort);
  // The guides name the inbox; wrangler, which makes them again, has it from its environment.
  process.env.INBOX_URL = sandboxAddress;
  await build();
  const variables = localVariables();
  await prepareDatabase();

  const sandbox = startSandbox(variables);
  const worker = startWorker();
  const ended = Promise.race([failure("The sandbox", sandbox), failure("wrangler dev", worker)]);
  await Promise.race([ready(`http://127.0.0.1:${port}/health`), ended]);
  worker.showOutput();
  console.log(banner());
  await ended;
});

function banner() {
  const example = port === "8787" ? "npm run example" : `CANDADO_URL=${address} npm run example`;
  return `
Candado is running. Open it in a browser:

  Guides       ${address}
  Quick start  ${address}/docs/quick-start
  Reference    ${address}/docs
  Inbox        ${sandboxAddress}  (every SMS and e-mail: it stands in for Twilio and SendGrid)

  Demo client  ${demoClient.id}, with the secret ${demoClient.secret}
  Example      ${example}  (a login application, in a second terminal)

Ctrl-C stops it. Each request is a line below.
`;
}

function startSandbox(variables) {
  const { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, SENDGRID_API_KEY } = variables;
  const credentials = { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, SENDGRID_API_KEY };
  return start(tool("node"), ["sandbox/server.mjs"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, SANDBOX_PORT: sandboxPort, CANDADO_URL: address, ...credentials },
  });
}

/** Its output is kept back until it serves, when `showOutput` shows what follows, or until it fails. */
function startWorker() {
  const variables = {
    PUBLIC_URL: address,
    TWILIO_BASE_URL: sandboxAddress,
    SENDGRID_BASE_URL: sandboxAddress,
  };
  const args = ["dev", "--ip", "127.0.0.1", "--port", port, "--show-interactive-dev-session=false"];
  for (const [name, value] of Object.entries(variables)) args.push("--var", `${name}:${value}`);
  const env = { ...wranglerEnvironment, INBOX_URL: sandboxAddress };
  const child = start(tool("wrangler"), args, { stdio: ["ignore", "pipe", "pipe"], env });
  let shown = false;
  child.output = "";
  for (const [stream, terminal] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
    eachLine(stream, (line) => {
      if (!shown) return (child.output += `${line}\n`);
      const text = requestLine(line);
      if (text !== null) terminal.write(`${text}\n`);
    });
  }
  child.showOutput = () => {
    shown = true;
    child.output = "";
  };
  return child;
}

async function failure(name, child) {
  const { code, signal, error } = await child.ended;
  throw new Problem(`${child.output ?? ""}\n${name} ended (${error?.message ?? signal ?? `exit code ${code}`}).`);
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

function requireFree(variable, value) {
  if (!/^\d+$/.test(value) || value < 1 || value > 65535) throw new Problem(`${variable}=${value} is no port number.`);
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", ({ code }) =>
      reject(new Problem(`Port ${value} cannot be used (${code}). Choose another: ${variable}=${Number(value) + 1} npm start`)),
    );
    server.listen(Number(value), "127.0.0.1", () => server.close(resolve));
  });
}
