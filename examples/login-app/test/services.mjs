// What the journeys run against: Candado with its sandbox, and the application, once for each of two clients.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { guidedClient } from "../../../scripts/guided-client.mjs";
import { demoClient, localVariables } from "../../../scripts/local.mjs";

const folder = fileURLToPath(new URL("..", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * Uses CANDADO_URL and SANDBOX_URL if they are given, with the demo client and ADMIN_TOKEN (that of .dev.vars unless
 * told), else starts both on free ports.
 */
export async function startServices() {
  const children = [];
  const data = mkdtempSync(join(tmpdir(), "login-app-"));
  const stop = async () => {
    for (const child of children.reverse()) {
      child.kill("SIGTERM");
      await child.ended;
    }
    rmSync(data, { recursive: true, force: true });
  };
  try {
    let { CANDADO_URL: candado, SANDBOX_URL: sandbox } = process.env;
    if (!candado) {
      const [port, sandboxPort] = [await freePort(), await freePort()];
      [candado, sandbox] = [`http://localhost:${port}`, `http://localhost:${sandboxPort}`];
      children.push(start(["scripts/start.mjs"], root, { PORT: port, SANDBOX_PORT: sandboxPort }));
      // The first start compiles the service.
      await ready(`${candado}/health`, children.at(-1), 900);
    }
    const application = async (clientId, clientSecret) => {
      const port = await freePort();
      const address = `http://localhost:${port}`;
      const client = { CANDADO_URL: candado, CANDADO_CLIENT_ID: clientId, CANDADO_CLIENT_SECRET: clientSecret };
      children.push(start(["server.mjs"], folder, { PORT: port, APP_URL: address, DATABASE: join(data, `${clientId}.db`), ...client }));
      await ready(`${address}/login`, children.at(-1), 20);
      return address;
    };
    const guided = await guidedClient(candado, process.env.ADMIN_TOKEN ?? localVariables().ADMIN_TOKEN);
    const apps = {
      plain: { app: await application(demoClient.id, demoClient.secret), smsDomain: "localhost" },
      stepUp: { app: await application(guided.client_id, guided.client_secret), smsDomain: guided.settings.sms_domain },
    };
    const said = () => children.map(({ output }) => output.split("\n").slice(-30).join("\n")).join("\n");
    return { apps, sandbox: sandbox ?? "http://localhost:8026", said, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function start(args, cwd, env) {
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  child.output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (child.output += data));
  child.ended = new Promise((resolve) => child.once("close", resolve));
  process.once("exit", () => child.kill("SIGTERM"));
  return child;
}

async function ready(url, child, seconds) {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline && child.exitCode === null) {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => null);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${url} is not ready. What was started says:\n${child.output}`);
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "localhost", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
