// Installs the npm packages if they are missing or older than a lock file, and builds the client from its sources.
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const app = fileURLToPath(new URL(".", import.meta.url));
const client = fileURLToPath(new URL("../../clients/typescript", import.meta.url));

const changedAt = (...path) => statSync(join(...path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
const newest = (folder) => Math.max(changedAt(folder), ...readdirSync(folder).map((name) => changedAt(folder, name)));

function npm(cwd, ...args) {
  const { status } = spawnSync("npm", args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) process.exit(1);
}

function install(folder, name) {
  if (changedAt(folder, "node_modules", ".package-lock.json") >= changedAt(folder, "package-lock.json")) return;
  console.log(`Installing the npm packages of ${name} (about 5 s)`);
  npm(folder, "ci", "--no-audit", "--no-fund");
}

if (changedAt(client, "dist", "index.js") < newest(join(client, "src"))) {
  install(client, "the TypeScript client");
  console.log("Building the TypeScript client (about 5 s)");
  npm(client, "run", "build");
}
install(app, "the login application");
