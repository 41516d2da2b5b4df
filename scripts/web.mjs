// npm run web: the hosted page and the custom element, into web/dist/.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environment, installPackages, tool } from "./npm.mjs";
import { main, root, step } from "./steps.mjs";

/** What a Worker serves as assets and the native program holds inside itself. */
export const webOutput = join(root, "web", "dist");

export async function web() {
  await installPackages();
  const options = { env: environment };
  const typescript = ["--project", join(root, "web", "tsconfig.json")];
  await step("Checking the types of web/", "about 2 s", tool("tsc"), typescript, { ...options, log: ["web-types"] });
  const vite = ["build", "--config", join(root, "web", "vite.config.ts"), "--mode"];
  await step("Building the hosted page", "about 1 s", tool("vite"), [...vite, "page"], { ...options, log: ["web-page"] });
  await step("Building <candado-mfa>", "about 1 s", tool("vite"), [...vite, "element"], { ...options, log: ["web-element"] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(web);
