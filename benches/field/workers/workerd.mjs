// Starts a Worker in a process of its own and asks its D1.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { childrenOf } from "../harness/processes.mjs";
import { answers, freePort, openLog } from "../harness/servers.mjs";
import { field, Problem, root, start, tool } from "../harness/repository.mjs";

/** The compatibility date of the service, for all Workers. */
export const compatibilityDate = readFileSync(join(root, "wrangler.toml"), "utf8").match(/^compatibility_date = "(.*)"$/m)[1];

export async function startWorkerd(folder, { script, migrations, bindings = () => ({}), probe }) {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const log = openLog(folder, "workerd");
  const options = JSON.stringify({ script: { compatibilityDate, ...script }, folder, port, migrations, bindings: bindings(origin) });
  const server = start(tool("node"), [field("workers", "serve.mjs"), options], { stdio: ["ignore", log, log, "ipc"] });
  const waiting = new Map();
  let number = 0;
  const ready = new Promise((resolve, reject) => {
    server.on("message", ({ ready, id, rows }) => (ready ? resolve() : waiting.get(id)?.(rows)));
    server.ended.then(() => reject(new Problem(`The Worker ended; ${join(folder, "workerd.log")} says why.`)));
  });
  await ready;
  await answers(origin + probe);
  const query = (sql) =>
    new Promise((resolve) => {
      waiting.set(++number, resolve);
      server.send({ id: number, sql });
    });
  // What runs a Worker counts; the node process beside it only hands on its log.
  const roots = childrenOf(server.pid);
  return { origin, roots: () => roots, query };
}

export function workerdVersions() {
  const version = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
  return `workerd ${version("workerd")}, miniflare ${version("miniflare")}`;
}
