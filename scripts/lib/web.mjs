// The hosted page and the custom element, into web/dist/.
import { join } from "node:path";
import { environment, installPackages, tool } from "./npm.mjs";
import { root, step } from "./steps.mjs";

export async function buildWeb() {
  await installPackages();
  const options = { env: environment };
  const typescript = ["--project", join(root, "web", "tsconfig.json")];
  await step("Checking the types of web/", "about 2 s", tool("tsc"), typescript, { ...options, log: ["web-types"] });
  const vite = ["build", "--config", join(root, "web", "vite.config.ts"), "--mode"];
  await step("Building the hosted page", "about 1 s", tool("vite"), [...vite, "page"], { ...options, log: ["web-page"] });
  await step("Building <candado-mfa>", "about 1 s", tool("vite"), [...vite, "element"], { ...options, log: ["web-element"] });
}
