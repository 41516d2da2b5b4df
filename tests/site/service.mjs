// The files of public/ under the routing of wrangler.toml, with a Worker that answers its own name: what it answers was
// not answered by a file.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "target", "site-test");

const worker = `export default {
  fetch({ method, url }) {
    const { pathname } = new URL(url);
    // The reference gets itself a token.
    if (pathname === "/auth") return Response.json({ access_token: "token-of-the-demo-client" });
    return new Response("the Worker: " + method + " " + pathname);
  },
};
`;

export async function serveSite() {
  const settings = readFileSync(join(root, "wrangler.toml"), "utf8");
  const [assets] = settings.match(/^\[assets\]\n(?:.+\n)+/m);
  const [date] = settings.match(/^compatibility_date = .+$/m);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "worker.mjs"), worker);
  const directory = assets.replace('directory = "public"', `directory = ${JSON.stringify(join(root, "public"))}`);
  writeFileSync(join(folder, "wrangler.toml"), `name = "site-test"\nmain = "worker.mjs"\n${date}\n${directory}`);

  const port = await freePort();
  const args = ["dev", "--config", join(folder, "wrangler.toml"), "--ip", "127.0.0.1", "--port", port, "--show-interactive-dev-session=false"];
  const child = spawn("wrangler", args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = () => (child.kill("SIGTERM"), ended);

  const address = `http://localhost:${port}`;
  for (const deadline = Date.now() + 30_000; Date.now() < deadline && child.exitCode === null; ) {
    if ((await fetch(address).catch(() => null))?.ok) return { address, stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error(`The site is not served. wrangler says:\n${output}`);
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(String(port)));
    });
  });
