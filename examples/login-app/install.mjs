// Installs the npm packages if they are missing or older than the lock file.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const cwd = fileURLToPath(new URL(".", import.meta.url));
const changedAt = (path) => statSync(cwd + path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (changedAt("node_modules/.package-lock.json") < changedAt("package-lock.json")) {
  console.log("Installing the npm packages of the login application (about 5 s)");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) process.exit(1);
}
