// The README's examples, as a program.
import { readFileSync } from "node:fs";

export function readmeProgram(): string {
  const readme = readFileSync("README.md", "utf8");
  const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  return blocks.join("\n");
}
