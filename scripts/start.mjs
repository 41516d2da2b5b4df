// npm start: prepares what is missing, then runs the Worker and the sandbox until Ctrl-C.
import { demoClient, lastingState } from "./lib/local.mjs";
import { requestLine } from "./lib/request-line.mjs";
import { freePort, startService } from "./lib/service.mjs";
import { main, Problem } from "./lib/steps.mjs";
import { local } from "./lib/worker.mjs";

const ports = { service: process.env.PORT || "8787", sandbox: process.env.SANDBOX_PORT || "8026" };

await main(async () => {
  await requireFree("PORT", ports.service);
  await requireFree("SANDBOX_PORT", ports.sandbox);
  const { address, sandbox, failure } = await startService({ ports, state: lastingState, kind: local, take: showLine });
  console.log(banner(address, sandbox.url));
  await failure;
});

function banner(address, inbox) {
  const example = ports.service === "8787" ? "npm run example" : `CANDADO_URL=${address} npm run example`;
  return `
Candado is running. Open it in a browser:

  Guides       ${address}
  Quick start  ${address}/docs/quick-start
  Reference    ${address}/docs
  Inbox        ${inbox}  (every SMS and e-mail: it stands in for Twilio and SendGrid)

  Demo client  ${demoClient.id}, with the secret ${demoClient.secret}
  Example      ${example}  (a login application, in a second terminal)

Ctrl-C stops it. Each request is a line below.
`;
}

function showLine(line, stream) {
  const text = requestLine(line);
  if (text !== null) process[stream].write(`${text}\n`);
}

async function requireFree(variable, value) {
  if (!/^\d+$/.test(value) || value < 1 || value > 65535) throw new Problem(`${variable}=${value} is no port number.`);
  await freePort(value).catch(({ code }) => {
    throw new Problem(`Port ${value} cannot be used (${code}). Choose another: ${variable}=${Number(value) + 1} npm start`);
  });
}
