// What the benchmark takes from the repository's own scripts, in one place.
import { join } from "node:path";
import { root } from "../../../scripts/steps.mjs";

export { build, bundle } from "../../../scripts/build.mjs";
export { cached } from "../../../scripts/cache.mjs";
export { freshVariables } from "../../../scripts/local.mjs";
export { environment, installPackages, tool } from "../../../scripts/npm.mjs";
export { pythonTools } from "../../../scripts/python.mjs";
export { capture, cargoProgress, main, Problem, root, start, step } from "../../../scripts/steps.mjs";

/** A path in this folder. */
export const field = (...names) => join(root, "benches", "field", ...names);

/** Where a run keeps its databases, logs and results: on the disk of the checkout, in no commit. */
export const runs = (...names) => join(root, "target", "field", ...names);
