// npm run docs: the site, into public/.
import { installPackages } from "./lib/npm.mjs";
import { assembleSite } from "./lib/site.mjs";
import { main } from "./lib/steps.mjs";

await main(async () => {
  await installPackages();
  await assembleSite();
});
