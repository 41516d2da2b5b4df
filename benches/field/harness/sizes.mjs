// How much has to be put on a machine.
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { capture } from "./repository.mjs";

/** Bytes of a file, or of everything in a folder. */
export function size(path) {
  const found = lstatSync(path);
  if (!found.isDirectory()) return found.isSymbolicLink() ? 0 : found.size;
  return readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0);
}

/** Bytes that Debian's packages take, without what they depend on. */
export async function packageSize(...names) {
  const { stdout } = await capture("dpkg-query", ["--show", "--showformat=${Installed-Size}\\n", ...names]);
  return stdout.split("\n").reduce((sum, kilobytes) => sum + 1024 * Number(kilobytes), 0);
}

/** Bytes of an environment's packages; pip itself is not deployed. */
export async function environmentSize(python) {
  const { stdout } = await capture(python, ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]);
  const packages = readdirSync(stdout).filter((name) => !/^(pip|setuptools|_distutils_hack|distutils-precedence\.pth)/.test(name));
  return packages.reduce((sum, name) => sum + size(join(stdout, name)), 0);
}

/** `Python 3.11.7, fastapi 0.165.0`. */
export async function pythonVersions(python, ...packages) {
  const script = "import sys, importlib.metadata as m; print('Python ' + sys.version.split()[0], *(f'{p} {m.version(p)}' for p in sys.argv[1:]), sep=', ')";
  return (await capture(python, ["-c", script, ...packages])).stdout;
}
