import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./steps.mjs";

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

test("every script is an npm command, and every command's script is there", () => {
  const named = Object.values(scripts).flatMap((command) => [...command.matchAll(/\bscripts\/([\w/-]+\.mjs)\b/g)].map(([, name]) => name));
  const present = readdirSync(join(root, "scripts")).filter((name) => name !== "lib");
  assert.deepEqual([...new Set(named)].sort(), present.sort());
});

test("CONTRIBUTING names every npm command", () => {
  const text = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
  const spellings = { start: "`npm start`", test: "`npm test`" };
  const unnamed = Object.keys(scripts).filter((name) => !text.includes(spellings[name] ?? `\`npm run ${name}\``));
  assert.deepEqual(unnamed, []);
});
