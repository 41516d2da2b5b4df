// A service of a test's own: the built Worker and the sandbox on free ports, with a database that begins empty.
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { build } from "./build.mjs";
import { localVariables, migrate, wranglerEnvironment } from "./local.mjs";
import { tool } from "./npm.mjs";
import { Problem, root, start } from "./steps.mjs";

/** Builds and starts both, as npm start does; answers where they are, and the Worker's variables and storage. */
export async function ownService(name) {
  await build();
  const state = join(root, "target", name);
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true });
  await migrate(state);
  const [port, sandboxPort] = await Promise.all([freePort(), freePort()]);
  const variables = localVariables();
  const address = `http://localhost:${port}`;
  const sandboxAddress = `http://localhost:${sandboxPort}`;
  const { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, SENDGRID_API_KEY } = variables;
  const credentials = { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, SENDGRID_API_KEY };
  start(tool("node"), ["sandbox/server.mjs"], { env: { ...process.env, SANDBOX_PORT: sandboxPort, ...credentials } });
  const args = ["dev", "--ip", "127.0.0.1", "--port", port, "--persist-to", state, "--log-level", "error"];
  for (const [name, value] of Object.entries({ PUBLIC_URL: address, TWILIO_BASE_URL: sandboxAddress, SENDGRID_BASE_URL: sandboxAddress })) {
    args.push("--var", `${name}:${value}`);
  }
  const worker = start(tool("wrangler"), args, { stdio: ["ignore", "pipe", "pipe"], env: wranglerEnvironment });
  let output = "";
  for (const stream of [worker.stdout, worker.stderr]) stream.on("data", (data) => (output += data));
  worker.ended.then(() => (worker.over = true));
  for (const deadline = Date.now() + 60_000; Date.now() < deadline && !worker.over; ) {
    const answer = await fetch(`${address}/health`).catch(() => null);
    if (answer?.ok) return { address, sandboxAddress, variables, state };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Problem(`${output}\nThe Worker does not get ready.`);
}

export async function post(url, token, body) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Problem(`${url} gives ${response.status}: ${text}`);
  return JSON.parse(text);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(String(port)));
    });
  });
}
