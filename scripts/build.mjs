// npm run build: the Worker into build/, and the site into public/. wrangler runs this too, before it serves or deploys.
import { installPackages } from "./lib/npm.mjs";
import { assembleSite } from "./lib/site.mjs";
import { main } from "./lib/steps.mjs";
import { build, wantedBuild } from "./lib/worker.mjs";

await main(async () => {
  await build(wantedBuild);
  // The Worker may be current without the packages.
  await installPackages();
  await assembleSite({ inbox: process.env.INBOX_URL });
});
