// The Worker of a release, which `npm start` takes in place of compiling one. Only the source archive of a release has
// the file release.json, which knows the Worker's checksum; where releases are is said here.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture, root } from "./steps.mjs";

/** Below it each version has a folder, as v1.2.0/. Empty: releases have no public address yet. */
const RELEASES = "";

/** What the Worker consists of, and what its archive holds. */
export const workerFiles = ["index.js", "index_bg.wasm"];

export const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/**
 * What release.json says, if this is the source of a release, unchanged: `sources` is the digest of what the Worker is
 * compiled from. Says why not, if it is changed.
 */
export function releaseOf(sources, folder = root) {
  const path = join(folder, "release.json");
  if (!existsSync(path)) return null;
  const release = JSON.parse(readFileSync(path, "utf8"));
  if (release.sources === sources) return release;
  console.log(`The sources are not those of release ${release.version} any more: compiling the Worker.`);
  return null;
}

/** Puts the release's Worker into `folder`, if it can be fetched and is the one; says what it did, and answers whether. */
export async function takeWorker(release, folder, releases = process.env.CANDADO_RELEASES || RELEASES) {
  const refused = await fetchWorker(release, folder, releases).catch((error) => `it cannot be fetched (${error.cause?.message ?? error.message})`);
  if (refused) console.log(`Compiling the Worker, not taking that of release ${release.version}: ${refused}.`);
  else console.log(`Took the Worker of release ${release.version}; its checksum holds.`);
  return !refused;
}

async function fetchWorker({ version, archive, sha256: wanted }, folder, releases) {
  if (!releases) return "releases have no public address yet";
  const address = `${releases.replace(/\/$/, "")}/v${version}/${archive}`;
  const response = await fetch(address, { signal: AbortSignal.timeout(60_000) });
  if (!response.ok) return `${address} gives ${response.status}`;
  const content = Buffer.from(await response.arrayBuffer());
  if (sha256(content) !== wanted) return `what ${address} gives is another file, with the SHA-256 ${sha256(content)}`;

  const stage = `${folder}-taken-${process.pid}`;
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  writeFileSync(join(stage, archive), content);
  const { code } = await capture("tar", ["-xzf", archive, ...workerFiles], { cwd: stage });
  if (code === 0) {
    mkdirSync(folder, { recursive: true });
    for (const name of workerFiles) renameSync(join(stage, name), join(folder, name));
  }
  rmSync(stage, { recursive: true });
  return code === 0 ? null : "its archive cannot be unpacked";
}
