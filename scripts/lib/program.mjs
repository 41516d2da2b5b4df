// The native program as `npm test` compiles it.
import { join } from "node:path";
import { root, step } from "./steps.mjs";

const folder = process.env.CARGO_TARGET_DIR ?? join(root, "target");

/** Compiles it where it is not current, and answers its path. */
export async function nativeProgram() {
  const args = ["build", "--locked", "--bin", "candado"];
  await step("Compiling the program", "about 10 s, the first time 2 min", "cargo", args, { log: ["cargo-program"] });
  return join(folder, "debug", "candado");
}
