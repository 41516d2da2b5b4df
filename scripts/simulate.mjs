// npm run simulate: the service over a database that fails, for many users and days; `-- --users N --events N --seed N`.
import { join } from "node:path";
import { cargoProgress } from "./lib/progress.mjs";
import { main, root, show, step } from "./lib/steps.mjs";

await main(async () => {
  const args = ["build", "--locked", "--profile", "server", "--package", "candado-testkit", "--bin", "simulate"];
  const options = { log: ["cargo-build", "simulate"], env: { ...process.env, ...cargoProgress } };
  await step("Compiling the simulation", "several minutes the first time", "cargo", args, options);
  const program = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "server", "simulate");
  return (await show(program, process.argv.slice(2))).code;
});
