// npm run bench:timing: numbers to look at, none of them a gate. The timing of the comparers and the CPU of the most
// expensive requests, natively and then in the built Worker. `native` or `worker` runs one part.
import { join } from "node:path";
import { build } from "./lib/worker.mjs";
import { tool } from "./lib/npm.mjs";
import { main, Problem, show } from "./lib/steps.mjs";

const part = process.argv[2];

await main(async () => {
  if (part !== "worker") {
    for (const name of ["timing", "worst_request"]) {
      console.log();
      const { code } = await show("cargo", ["bench", "--quiet", "--locked", "--bench", name]);
      if (code !== 0) throw new Problem(`cargo bench ${name} failed.`);
    }
  }
  if (part !== "native") {
    await build();
    // node:sqlite is still called experimental.
    const { code } = await show(tool("node"), ["--disable-warning=ExperimentalWarning", join("benches", "worker.mjs")]);
    if (code !== 0) throw new Problem("The benchmark of the Worker failed.");
  }
});
