// npm run release -- v1.2.0: the files of a release that are not compiled for one platform, into target/release-files/:
// the Worker as it is deployed, and the source that knows the Worker's checksum.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256, workerFiles } from "./lib/release.mjs";
import { capture, main, Problem, root } from "./lib/steps.mjs";
import { build, deployed, sourcesDigest } from "./lib/worker.mjs";

const read = (...path) => readFileSync(join(root, ...path), "utf8");

await main(async () => {
  const version = process.argv[2]?.match(/^v(\d+\.\d+\.\d+)$/)?.[1];
  if (!version) throw new Problem("Which release? npm run release -- v1.2.0");
  await requireVersion(version);
  await build(deployed);

  const folder = join(root, "target", "release-files");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const archive = `candado-worker-${version}.tar.gz`;
  // The same files make the same archive.
  const alike = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=644"];
  await run("tar", [...alike, "--use-compress-program=gzip -n", "-cf", join(folder, archive), ...workerFiles], join(root, deployed.folder));

  const release = { version, archive, sha256: sha256(readFileSync(join(folder, archive))), sources: sourcesDigest() };
  writeFileSync(join(folder, "release.json"), `${JSON.stringify(release, null, 2)}\n`);
  const name = `candado-${version}`;
  const add = [`--prefix=${name}/`, `--add-file=${join(folder, "release.json")}`];
  await run("git", ["archive", ...add, "--output", join(folder, `${name}.tar.gz`), "HEAD"], root);
  rmSync(join(folder, "release.json"));
  console.log(`${folder.slice(root.length)}: ${archive}, ${name}.tar.gz`);
});

/** Everything that bears a version bears this one, and what is committed is what is here. */
async function requireVersion(version) {
  const { stdout } = await capture("cargo", ["metadata", "--no-deps", "--locked", "--format-version", "1"]);
  const versions = {
    "Cargo.toml": JSON.parse(stdout).packages.find(({ name }) => name === "candado").version,
    "package.json": JSON.parse(read("package.json")).version,
    "clients/typescript/package.json": JSON.parse(read("clients", "typescript", "package.json")).version,
    "clients/python": read("clients", "python", "src", "candado", "__init__.py").match(/^__version__ = "(.+)"$/m)[1],
    "CHANGELOG.md": read("CHANGELOG.md").match(/^## \[(.+?)\] - \d{4}-\d{2}-\d{2}$/m)?.[1] ?? "without a date",
  };
  const others = Object.entries(versions).filter(([, other]) => other !== version);
  if (others.length) throw new Problem(`This is not version ${version} everywhere: ${others.map((pair) => pair.join(" says ")).join(", ")}.`);
  if ((await run("git", ["status", "--porcelain"], root)) !== "") throw new Problem("There are changes that are not committed.");
}

async function run(command, args, cwd) {
  const { code, stdout } = await capture(command, args, { cwd });
  if (code !== 0) throw new Problem(`${command} ${args[0]} failed.`);
  return stdout;
}
