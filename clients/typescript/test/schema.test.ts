import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { it } from "node:test";
import { promisify } from "node:util";
import { camelName, snakeName } from "../src/names.js";

it("src/schema.d.ts is what docs/openapi.json says; else: npm run generate", async () => {
  await promisify(execFile)("npm", ["run", "--silent", "generate:check"]);
});

it("every field has one name in camelCase and back", async () => {
  const document = JSON.parse(await readFile("../../docs/openapi.json", "utf8")) as {
    components: { schemas: Record<string, { properties?: object }> };
  };
  const names = Object.values(document.components.schemas).flatMap(({ properties = {} }) => Object.keys(properties));
  assert.ok(names.includes("recovery_codes_remaining"));
  for (const name of names) assert.equal(snakeName(camelName(name)), name);
});
