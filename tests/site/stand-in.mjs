// The files of public/ under the routing of wrangler.toml, with a Worker that answers its own name: what it answers was
// not answered by a file.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
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

/** Writes what wrangler serves it by, and answers where that is. */
export function configuration() {
  const settings = readFileSync(join(root, "wrangler.toml"), "utf8");
  const [assets] = settings.match(/^\[assets\]\n(?:.+\n)+/m);
  const [date] = settings.match(/^compatibility_date = .+$/m);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "worker.mjs"), worker);
  const directory = assets.replace('directory = "public"', `directory = ${JSON.stringify(join(root, "public"))}`);
  const path = join(folder, "wrangler.toml");
  writeFileSync(path, `name = "site-test"\nmain = "worker.mjs"\n${date}\n${directory}`);
  return path;
}
