// The hosted page, the custom element and the console, into web/dist/.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { environment, installPackages, tool } from "./npm.mjs";
import { root, step } from "./steps.mjs";

const web = join(root, "web");
export const webOutput = join(web, "dist");

export async function buildWeb() {
  await installPackages();
  const options = { env: environment };
  const typescript = ["--project", join(web, "tsconfig.json")];
  await step("Checking the types of web/", "about 2 s", tool("tsc"), typescript, { ...options, log: ["web-types"] });
  await bundle();
}

/** Builds it if what is there is of other sources. Types are for `buildWeb` to check. */
export async function currentWeb() {
  const stamp = join(root, "target", "web", "built-from");
  const sources = sourcesDigest();
  const present = ["session.html", "candado-mfa.js", "console.html"].every((name) => existsSync(join(webOutput, name)));
  if (present && existsSync(stamp) && readFileSync(stamp, "utf8") === sources) return;
  await bundle();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, sources);
}

async function bundle() {
  const options = { env: environment };
  const vite = ["build", "--config", join(web, "vite.config.ts"), "--mode"];
  await step("Building the hosted page", "about 1 s", tool("vite"), [...vite, "page"], { ...options, log: ["web-page"] });
  await step("Building <candado-mfa>", "about 1 s", tool("vite"), [...vite, "element"], { ...options, log: ["web-element"] });
  await step("Building the console", "about 1 s", tool("vite"), [...vite, "console"], { ...options, log: ["web-console"] });
}

/** A digest of everything the build reads. */
function sourcesDigest() {
  const hash = createHash("sha256");
  const sources = readdirSync(join(web, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const others = ["session.html", "console.html", "headers.json", "vite.config.ts"].map((name) => join(web, name));
  for (const path of [...sources.sort(), ...others, join(root, "package-lock.json")]) {
    hash.update(`${path.slice(root.length)}\0`).update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}
