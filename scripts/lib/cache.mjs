// A folder of the user's where tools are kept, by version, so that a second clone finds them.
import { homedir } from "node:os";
import { join } from "node:path";

const base = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");

export const cached = (...names) => join(base, "candado", `${process.platform}-${process.arch}`, ...names);
