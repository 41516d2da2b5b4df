// What the benchmark takes from the repository's own scripts, in one place.
import { join } from "node:path";
import { root } from "../../../scripts/lib/steps.mjs";

export { build, bundle } from "../../../scripts/lib/worker.mjs";
export { cached } from "../../../scripts/lib/cache.mjs";
export { freshVariables } from "../../../scripts/lib/local.mjs";
export { environment, installPackages, tool } from "../../../scripts/lib/npm.mjs";
export { pythonTools } from "../../../scripts/lib/python.mjs";
export { cargoProgress } from "../../../scripts/lib/progress.mjs";
export { capture, main, Problem, root, start, step } from "../../../scripts/lib/steps.mjs";

/** A path in this folder. */
export const field = (...names) => join(root, "benches", "field", ...names);

/** Where a run keeps its databases, logs and results: on the disk of the checkout, in no commit. */
export const runs = (...names) => join(root, "target", "field", ...names);
