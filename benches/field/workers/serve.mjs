// Serves one Worker on workerd as miniflare runs it, with D1 and KV on the disk. Its one argument, JSON, says which;
// over the channel to its parent it answers queries of the D1.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const { script, folder, port, migrations, bindings } = JSON.parse(process.argv[2]);

const TYPES = { js: "ESModule", wasm: "CompiledWasm" };

// The shape its options had for years; the present one is a beta's.
const options = convertV4MiniflareOptions({
  name: "field",
  host: "127.0.0.1",
  port,
  cf: false,
  modulesRoot: script.folder,
  modules: script.modules.map((name) => ({ type: TYPES[name.split(".").pop()], path: join(script.folder, name) })),
  compatibilityDate: script.compatibilityDate,
  bindings,
  d1Databases: { DB: "field" },
  kvNamespaces: { KV: "field" },
});
const miniflare = new Miniflare({ ...options, resourcePersistencePath: folder });
await miniflare.ready;
const db = await miniflare.getD1Database("DB");
for (const name of migrations ? readdirSync(migrations).filter((file) => file.endsWith(".sql")).sort() : []) {
  // Statements are apart by their semicolons: no migration has one inside a text or a comment's line.
  const sql = readFileSync(join(migrations, name), "utf8").replace(/--.*$/gm, "");
  await db.batch(sql.split(";").map((statement) => statement.trim()).filter(Boolean).map((statement) => db.prepare(statement)));
}
process.on("message", async ({ id, sql }) => process.send({ id, rows: (await db.prepare(sql).all()).results }));
// Whoever started it is gone.
process.on("disconnect", async () => {
  await miniflare.dispose();
  process.exit();
});
process.send({ ready: true });
