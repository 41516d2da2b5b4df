// The npm packages: wrangler, node 22, esbuild, binaryen and what the tests use.
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Problem, root, sideBySide, step } from "./steps.mjs";

const bin = join(root, "node_modules", ".bin");

/** The path of a program that is an npm package. */
export const tool = (name) => join(bin, name);

/** The environment for programs that are npm packages: they find node 22 before the system's node. */
export const environment = { ...process.env, PATH: `${bin}:${process.env.PATH}` };

/** Installs those of the root, or of another folder with a lock file. */
export const installPackages = (folder) => sideBySide(packageJobs(folder));

/** The job that installs them, if they are missing. */
export function packageJobs(folder = root) {
  if (parseInt(process.versions.node, 10) < 20) {
    throw new Problem(`Node ${process.versions.node} is too old: Candado needs 20 or later.`);
  }
  if (installed(folder)) return [];
  const where = relative(root, folder);
  const title = `the npm packages${where && ` of ${where}`}`;
  const run = () => {
    // While npm replaces node_modules its own scripts must not run on the node that lies there.
    const PATH = process.env.PATH.split(":").filter((folder) => folder !== bin).join(":");
    return step(`Installing ${title}`, "about 10 s", "npm", ["ci", "--no-audit", "--no-fund"], {
      cwd: folder,
      env: { ...process.env, PATH },
      log: ["npm", where],
    });
  };
  return [{ title, seconds: 10, run }];
}

/** npm leaves a copy of the lock file, without what other platforms need, beside what it installed. */
function installed(folder) {
  const wanted = packages(join(folder, "package-lock.json"));
  const present = packages(join(folder, "node_modules", ".package-lock.json"));
  return Object.entries(wanted).every(
    ([path, { version, integrity, optional }]) =>
      path === "" ||
      (present[path] ? present[path].version === version && present[path].integrity === integrity : optional),
  );
}

function packages(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, "utf8")).packages;
  } catch {
    return {};
  }
}
