// Candado's Worker as it is deployed, on workerd.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, bundle, root } from "../harness/repository.mjs";
import { startWorkerd, workerdVersions } from "../workers/workerd.mjs";
import { clientOf, freshVariables, verification } from "./client.mjs";

const dist = join(root, "dist");

/** The script, and the wasm it imports: the folder may still hold that of an earlier build. */
function modules() {
  const script = readFileSync(join(dist, "index.js"), "utf8");
  return ["index.js", ...readdirSync(dist).filter((name) => name.endsWith(".wasm") && script.includes(name))];
}

export const candadoWorker = {
  id: "candado-worker",
  name: "Candado, Worker",
  lockAfter: 5,
  expected: 1200,

  async prepare() {
    await build();
    await bundle();
  },

  versions: async () => workerdVersions(),

  /** What is uploaded, gzipped as Cloudflare counts it. */
  deployed: async () => modules().reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, name))).length, 0),

  async start(folder) {
    const variables = freshVariables();
    const running = await startWorkerd(folder, {
      script: { folder: dist, modules: modules() },
      migrations: join(root, "migrations"),
      bindings: (origin) => ({ ...variables, PUBLIC_URL: origin }),
      probe: "/health",
    });
    const client = await clientOf(running.origin, variables.ADMIN_TOKEN);
    return {
      ...running,
      ...verification(client),
      stored: async () => (await running.query("SELECT count(*) AS count FROM audit_log WHERE event = 'verified'"))[0].count,
      enrol: (users) => client.importAll(users, 16),
    };
  },
};
