// npm run test:image: makes the image of the Dockerfile step by step, without a container engine, and runs the program
// in it as an engine would: alone in its file system, not as root, and able to write to its volume only.
import { join } from "node:path";
import { makeImage } from "./lib/image.mjs";
import { installPackages } from "./lib/npm.mjs";
import { freePort } from "./lib/service.mjs";
import { assembleSite } from "./lib/site.mjs";
import { main, root, show } from "./lib/steps.mjs";

await main(async () => {
  const folder = join(root, "target", "image");
  await installPackages();
  await assembleSite();
  const stage = await makeImage(folder);
  const env = { ...process.env, IMAGE: folder, STAGE: JSON.stringify(stage), PORT: await freePort() };
  const { code } = await show(process.execPath, ["--test", "--test-reporter", "spec", "tests/image/image.test.mjs"], { env });
  return code;
});
