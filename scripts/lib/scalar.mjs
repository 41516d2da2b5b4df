// The program of the API reference.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.mjs";
import { environment } from "./npm.mjs";
import { Problem, step } from "./steps.mjs";

// The one file of the package that is served. Its dependencies, which are built into it, would be 250 MB.
const scalar = {
  version: "1.72.1",
  integrity: "sha512-XpEJ0rfc/cXbCrR+iC4kK0o/WwX2dTtGQbT049OlPKAHD6IMIFdTeGz2r+M27P2EDWKyUITRm/NzlP8z2pw/Ow==",
  path: "package/dist/browser/standalone.js",
};

/** Answers its path; fetches it if it is not there. */
export async function scalarBundle() {
  const folder = cached("docs");
  const bundle = join(folder, `scalar-${scalar.version}.js`);
  if (existsSync(bundle)) return bundle;
  const work = join(folder, `unpacking-${process.pid}`);
  mkdirSync(work, { recursive: true });
  const pack = ["pack", `@scalar/api-reference@${scalar.version}`, "--pack-destination", work];
  await step("Fetching the API reference's program", "about 5 s", "npm", pack, { env: environment, log: ["npm-pack-scalar"] });
  const archive = join(work, `scalar-api-reference-${scalar.version}.tgz`);
  const integrity = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (integrity !== scalar.integrity) throw new Problem(`@scalar/api-reference ${scalar.version} is not the package it was: ${integrity}.`);
  await step("Unpacking it", "about 1 s", "tar", ["-xzf", archive, "-C", work, scalar.path], { log: ["unpack-scalar"] });
  renameSync(join(work, scalar.path), bundle);
  rmSync(work, { recursive: true, force: true });
  return bundle;
}
