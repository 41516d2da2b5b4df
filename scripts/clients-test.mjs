// npm run test:clients: the TypeScript and Python clients and the FastAPI example, by themselves and against a
// service of their own. That they say what docs/openapi.json says is among it.
import { join } from "node:path";
import { addDemoClient } from "./local.mjs";
import { environment, installPackages } from "./npm.mjs";
import { pythonTools } from "./python.mjs";
import { ownService } from "./service.mjs";
import { main, root, show } from "./steps.mjs";

const typescript = join(root, "clients", "typescript");
const python = join(root, "clients", "python");
const fastapi = join(root, "examples", "fastapi-app");

await main(async () => {
  const requirements = ["-e", "clients/python[test]", "-r", "examples/fastapi-app/requirements-test.txt"];
  const files = ["clients/python/pyproject.toml", "examples/fastapi-app/requirements.txt", "examples/fastapi-app/requirements-test.txt"];
  const program = await pythonTools(join(root, "target", "python-clients"), "the Python clients", requirements, files);
  const { address, state } = await ownService("clients-test");
  await addDemoClient(state);
  await installPackages(typescript);

  const failed = [];
  const check = async (name, command, args, cwd) => {
    console.log(`\n${name}`);
    const { code } = await show(command, args, { cwd, env: { ...environment, CANDADO_URL: address } });
    if (code !== 0) failed.push(name);
  };
  await check("TypeScript: tests", "npm", ["test", "--silent"], typescript);
  await check("TypeScript: build", "npm", ["run", "--silent", "build"], typescript);
  await check("Python: tests", program("pytest"), ["--quiet"], python);
  await check("Python: types", program("mypy"), [], python);
  await check("Python: style", program("ruff"), ["check", "--quiet"], python);
  await check("FastAPI example: tests", program("pytest"), ["--quiet"], fastapi);
  console.log(failed.length ? `\nFailed: ${failed.join("; ")}` : "\nThe clients and the example work.");
  return failed.length ? 1 : 0;
});
