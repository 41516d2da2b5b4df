// npm run test:api: schemathesis sends the running service what docs/openapi.json allows and what it forbids,
// and holds every answer against it. A service of its own, on free ports, with a database of its own.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { build } from "./build.mjs";
import { cached } from "./cache.mjs";
import { localVariables, wranglerEnvironment } from "./local.mjs";
import { tool } from "./npm.mjs";
import { capture, main, Problem, root, show, start, step } from "./steps.mjs";

const version = "4.32.5";
const state = join(root, "target", "api-test");
const options = process.argv.slice(2);

await main(async () => {
  const schemathesis = await installed();
  await build();
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true });
  const migrate = ["d1", "migrations", "apply", "DB", "--local", "--persist-to", state];
  await step("Making a database for the test", "about 3 s", tool("wrangler"), migrate, { env: wranglerEnvironment, log: ["api-test-migrations"] });

  const { address, variables } = await service();
  const client = await post(`${address}/admin/clients`, variables.ADMIN_TOKEN, { name: "Test", client_id: "app123" });
  const token = (await post(`${address}/auth`, null, { client_id: client.client_id, client_secret: client.client_secret })).access_token;
  const contact = { email: "ann@example.com", phone: "+34600111222" };
  for (const user_id of ["user123", "bob"]) {
    await post(`${address}/mfa/register`, token, { user_id, confirm: false, ...contact });
  }
  const pending = await post(`${address}/mfa/register`, token, { user_id: "pending" });

  const args = ["--config-file", "tests/schemathesis.toml", "run", "docs/openapi.json", "--url", address, "--checks", "all"];
  // A seed makes two runs alike, and the number of examples bounds the time: 2 to 3 minutes.
  if (!options.length) args.push("--max-examples", "100", "--seed", "1");
  const env = {
    ...process.env,
    ACCESS_TOKEN: token,
    ADMIN_TOKEN: variables.ADMIN_TOKEN,
    CLIENT_ID: client.client_id,
    CLIENT_SECRET: client.client_secret,
    QR_LINK: new URL(pending.qr_code_url).searchParams.get("t"),
  };
  const { code } = await show(schemathesis, [...args, ...options], { env });
  return code;
});

/** schemathesis in an environment of its own, in the user's cache folder. */
async function installed() {
  const folder = cached("tools", `schemathesis-${version}`);
  const program = join(folder, "bin", "schemathesis");
  if (existsSync(program)) return program;
  rmSync(folder, { recursive: true, force: true });
  const { code } = await capture("python3", ["-m", "venv", folder]);
  if (code !== 0) throw new Problem("python3 with venv is needed: `apt-get install python3-venv`, then this again.");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", `schemathesis==${version}`];
  try {
    await step(`Installing schemathesis ${version}`, "about 20 s", join(folder, "bin", "python"), pip, { log: ["pip-schemathesis"] });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return program;
}

/** The Worker and the sandbox, as npm start runs them. */
async function service() {
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
    if (answer?.ok) return { address, variables };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Problem(`${output}\nThe Worker does not get ready.`);
}

async function post(url, token, body) {
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
