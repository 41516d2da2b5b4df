// What the journeys run against: the application, once for each of two clients of the service at CANDADO_URL.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));

const clients = {
  plain: { id: "app123", secret: "secret123", smsDomain: "localhost" },
  stepUp: {
    id: process.env.CANDADO_STEP_UP_CLIENT_ID,
    secret: process.env.CANDADO_STEP_UP_CLIENT_SECRET,
    smsDomain: process.env.CANDADO_STEP_UP_SMS_DOMAIN,
  },
};

export async function startServices() {
  const { CANDADO_URL: candado, SANDBOX_URL: sandbox } = process.env;
  if (!candado) throw new Error("There is no service to test against: run `npm run test:example` in the repository's root.");
  const children = [];
  const data = mkdtempSync(join(tmpdir(), "login-app-"));
  const stop = async () => {
    for (const child of children) {
      child.kill("SIGTERM");
      await child.ended;
    }
    rmSync(data, { recursive: true, force: true });
  };
  const application = async ({ id, secret, smsDomain }) => {
    const port = await freePort();
    const app = `http://localhost:${port}`;
    await allowPasskeys(candado, id, app);
    const client = { CANDADO_URL: candado, CANDADO_CLIENT_ID: id, CANDADO_CLIENT_SECRET: secret };
    const child = start({ PORT: port, APP_URL: app, DATABASE: join(data, `${id}.db`), ...client });
    children.push(child);
    await ready(`${app}/login`, child);
    return { app, smsDomain };
  };
  try {
    const apps = { plain: await application(clients.plain), stepUp: await application(clients.stepUp) };
    const said = () => children.map(({ output }) => output.split("\n").slice(-30).join("\n")).join("\n");
    return { apps, sandbox, said, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The operator says on which pages a client's passkeys are used. */
async function allowPasskeys(candado, id, origin) {
  const headers = { Authorization: `Bearer ${process.env.CANDADO_ADMIN_TOKEN}`, "Content-Type": "application/json" };
  const body = JSON.stringify({ settings: { passkey_origins: [origin] } });
  const response = await fetch(`${candado}/admin/clients/${id}`, { method: "PATCH", headers, body });
  if (!response.ok) throw new Error(`The operator is answered ${response.status}: ${await response.text()}`);
}

function start(env) {
  const child = spawn(process.execPath, ["server.mjs"], { cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  child.output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (child.output += data));
  child.ended = new Promise((resolve) => child.once("close", resolve));
  process.once("exit", () => child.kill("SIGTERM"));
  return child;
}

async function ready(url, child) {
  const deadline = Date.now() + 20_000;
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
