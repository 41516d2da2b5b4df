// npm run test:clients: the TypeScript and Python clients and the FastAPI example, by themselves and against a
// service of their own. That they say what docs/openapi.json says is among it.
import { join } from "node:path";
import { guidedClient } from "./guided-client.mjs";
import { addDemoClient, demoClient } from "./local.mjs";
import { environment, installPackages } from "./npm.mjs";
import { pythonTools } from "./python.mjs";
import { ownService } from "./service.mjs";
import { main, root, show } from "./steps.mjs";

const typescript = join(root, "clients", "typescript");
const python = join(root, "clients", "python");
const fastapi = join(root, "examples", "fastapi-app");

await main(async () => {
  const requirements = ["-e", "../../clients/python[test]", "-r", "requirements-test.txt"];
  const files = ["clients/python/pyproject.toml", "examples/fastapi-app/requirements.txt", "examples/fastapi-app/requirements-test.txt"];
  const program = await pythonTools(join(root, "target", "python-clients"), "the Python clients", requirements, { files, cwd: fastapi });
  const { address, sandboxAddress, variables, state } = await ownService("clients-test");
  await addDemoClient(state);
  const guided = await guidedClient(address, variables.ADMIN_TOKEN);
  await installPackages(typescript);

  const service = { CANDADO_URL: address, SANDBOX_URL: sandboxAddress };
  const stepUp = { CANDADO_STEP_UP_CLIENT_ID: guided.client_id, CANDADO_STEP_UP_CLIENT_SECRET: guided.client_secret };
  const as = ({ id, secret }) => ({ CANDADO_CLIENT_ID: id, CANDADO_CLIENT_SECRET: secret });
  const failed = [];
  const check = async (name, command, args, cwd, variables = {}) => {
    console.log(`\n${name}`);
    const { code } = await show(command, args, { cwd, env: { ...environment, ...service, ...variables } });
    if (code !== 0) failed.push(name);
  };
  await check("TypeScript: tests", "npm", ["test", "--silent"], typescript, stepUp);
  await check("Python: tests", program("pytest"), ["--quiet"], python, stepUp);
  await check("Python: types", program("mypy"), [], python);
  await check("Python: style", program("ruff"), ["check", "--quiet"], python);
  await check("FastAPI example: tests", program("pytest"), ["--quiet"], fastapi, as(demoClient));
  const strict = { id: guided.client_id, secret: guided.client_secret };
  await check("FastAPI example: tests, with a client that requires step-up", program("pytest"), ["--quiet"], fastapi, as(strict));
  console.log(failed.length ? `\nFailed: ${failed.join("; ")}` : "\nThe clients and the example work.");
  return failed.length ? 1 : 0;
});
