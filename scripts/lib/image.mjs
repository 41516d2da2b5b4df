// The image that the Dockerfile describes, made in a folder without a container engine.
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { cargoProgress } from "./progress.mjs";
import { musl, toolchainFor } from "./rust.mjs";
import { capture, Problem, root, step } from "./steps.mjs";

/** What the last stage of the Dockerfile says: `copies`, `env`, `user`, `health`, `entrypoint`, `ports`. */
export function lastStage(text) {
  const lines = text.replace(/^#.*\n/gm, "").replace(/\\\n/g, " ").split("\n").filter((line) => line.trim());
  const stage = { copies: [], env: {}, ports: [], volumes: [] };
  for (const line of lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")))) {
    const [, name, rest] = line.match(/^(\w+)\s+(.*)$/);
    if (name === "FROM") stage.from = rest;
    else if (name === "COPY") stage.copies.push(copy(rest));
    else if (name === "ENV") for (const [, key, value] of rest.matchAll(/(\w+)=(\S+)/g)) stage.env[key] = value;
    else if (name === "USER") stage.user = rest;
    else if (name === "EXPOSE") stage.ports.push(rest);
    else if (name === "VOLUME") stage.volumes.push(...JSON.parse(rest));
    else if (name === "HEALTHCHECK") stage.health = JSON.parse(rest.replace(/^.*CMD /, ""));
    else if (name === "ENTRYPOINT") stage.entrypoint = JSON.parse(rest);
    else throw new Problem(`The last stage of the Dockerfile has ${name}, which this test does not know.`);
  }
  return stage;
}

function copy(rest) {
  const words = rest.split(/\s+/);
  const [from, to] = words.filter((word) => !word.startsWith("--"));
  const owner = words.find((word) => word.startsWith("--chown="))?.slice("--chown=".length).split(":").map(Number);
  return { from, to, owner: owner ?? [0, 0] };
}

/** Makes the last stage's file system in `folder`, of what the first stage would have; answers what the stage says. */
export async function makeImage(folder) {
  const stage = lastStage(readFileSync(join(root, "Dockerfile"), "utf8"));
  if (process.getuid?.() !== 0) throw new Problem("The image belongs to other users: this needs root.");
  const places = { "/image/candado": await staticProgram(), "/image/data": emptyFolder(`${folder}-data`) };
  rmSync(folder, { recursive: true, force: true });
  for (const { from, to, owner } of stage.copies) {
    const path = join(folder, to);
    const source = places[from] ?? from;
    if (!existsSync(source)) throw new Problem(`${source} is missing: \`apt-get install ca-certificates\``);
    mkdirSync(dirname(path), { recursive: true });
    cpSync(source, path, { recursive: true, dereference: true });
    chownSync(path, ...owner);
    chmodSync(path, statSync(source).mode);
  }
  return stage;
}

/** As `mkdir --mode=700` makes it. */
function emptyFolder(path) {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o700);
  return path;
}

/** What .dockerignore lets through, with the guides, in a folder of its own; answers which. */
function context() {
  const [first, ...others] = readFileSync(join(root, ".dockerignore"), "utf8").split("\n").filter((line) => line && !line.startsWith("#"));
  if (first !== "*" || others.some((line) => !line.startsWith("!"))) throw new Problem(".dockerignore no longer excludes all that it does not name.");
  const folder = join(root, "target", "image-context");
  rmSync(folder, { recursive: true, force: true });
  for (const line of others) cpSync(join(root, line.slice(1)), join(folder, line.slice(1)), { recursive: true });
  return folder;
}

/** The program as the first stage compiles it; answers its path. */
async function staticProgram() {
  const { description, environment } = await toolchainFor(musl);
  if ((await capture("musl-gcc", ["--version"])).code !== 0) throw new Problem("A C compiler for musl is missing: `apt-get install musl-tools`");
  console.log(`Compiling the program for ${musl} with ${description}.`);
  const folder = join(root, "target", "musl");
  const env = { ...process.env, ...environment, ...cargoProgress, CARGO_TARGET_DIR: folder, TARGET_CC: "musl-gcc" };
  const args = ["build", "--locked", "--profile", "server", "--bin", "candado", "--target", musl];
  await step("Compiling it", "about 2 min", environment.CARGO ?? "cargo", args, { env, cwd: context(), log: ["cargo-musl"] });
  return join(folder, musl, "server", "candado");
}
