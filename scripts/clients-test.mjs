// npm run test:clients: the TypeScript and Python clients and the FastAPI example, by themselves and against a
// service of their own. That they say what docs/openapi.json says is among it.
import { join } from "node:path";
import { checks } from "./lib/checks.mjs";
import { serviceVariables, testClient } from "./lib/guided-client.mjs";
import { demoClient, freshState } from "./lib/local.mjs";
import { environment, installPackages } from "./lib/npm.mjs";
import { pythonTools } from "./lib/python.mjs";
import { startService } from "./lib/service.mjs";
import { main, root } from "./lib/steps.mjs";

const typescript = join(root, "clients", "typescript");
const python = join(root, "clients", "python");
const fastapi = join(root, "examples", "fastapi-app");
const integration = join(root, "examples", "integration-tests");

await main(async () => {
  const requirements = ["-e", "../../clients/python[test]", "-r", "requirements-test.txt"];
  const files = ["clients/python/pyproject.toml", "examples/fastapi-app/requirements.txt", "examples/fastapi-app/requirements-test.txt"];
  const program = await pythonTools(join(root, "target", "python-clients"), "the Python clients", requirements, { files, cwd: fastapi });
  const service = await startService({ state: freshState("clients-test") });
  await installPackages(typescript);

  const variables = await serviceVariables(service);
  const as = (id, secret) => ({ CANDADO_CLIENT_ID: id, CANDADO_CLIENT_SECRET: secret });
  const asDemo = as(demoClient.id, demoClient.secret);
  const tester = await testClient(service);
  const asTester = as(tester.client_id, tester.client_secret);
  const asGuided = as(variables.CANDADO_STEP_UP_CLIENT_ID, variables.CANDADO_STEP_UP_CLIENT_SECRET);
  const { run, end } = checks();
  const check = (name, command, args, cwd, client) => run(name, command, args, { cwd, env: { ...environment, ...variables, ...client } });
  await check("TypeScript: tests", "npm", ["test", "--silent"], typescript);
  await check("Python: tests", program("pytest"), ["--quiet"], python);
  await check("Python: types", program("mypy"), [], python);
  await check("Python: style", program("ruff"), ["check", "--quiet"], python);
  await check("FastAPI example: tests", program("pytest"), ["--quiet"], fastapi, asDemo);
  await check("FastAPI example: tests, with a client that requires step-up", program("pytest"), ["--quiet"], fastapi, asGuided);
  // The client's tests have built it.
  await installPackages(join(integration, "node"));
  await check("Tests of an integration: Node", "npm", ["test", "--silent"], join(integration, "node"), asTester);
  await check("Tests of an integration: Python", program("pytest"), ["--quiet"], join(integration, "python"), asTester);
  return end("The clients and the example work.");
});
