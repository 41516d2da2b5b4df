// Python programs in environments of their own.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture, Problem, root, step } from "./steps.mjs";

/**
 * Installs what pip is asked for into `folder`, unless that is there and was made of the same requirements, and of
 * the same `files` they name; answers where a program of it is. Paths in the requirements begin at `cwd`.
 */
export async function pythonTools(folder, title, requirements, { files = [], cwd = root } = {}) {
  const program = (name) => join(folder, "bin", name);
  const stamp = join(folder, "installed");
  const wanted = JSON.stringify([requirements, ...files.map((file) => readFileSync(join(root, file), "utf8"))]);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return program;
  rmSync(folder, { recursive: true, force: true });
  const { code } = await capture("python3", ["-m", "venv", folder]);
  if (code !== 0) throw new Problem("python3 with venv is needed: `apt-get install python3-venv`, then this again.");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...requirements];
  await step(`Installing ${title}`, "about 20 s", program("python"), pip, { cwd, log: ["pip", title] });
  writeFileSync(stamp, wanted);
  return program;
}
