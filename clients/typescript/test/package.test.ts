// The package as npm packs it, installed in a project of somebody else's.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { readmeProgram } from "./readme.js";

const run = promisify(execFile);
const tsc = resolve("node_modules/.bin/tsc");
const nodeTypes = resolve("node_modules/@types");

describe("the package", () => {
  let project: string;
  let files: string[];

  before(async () => {
    project = mkdtempSync(join(tmpdir(), "candado-package-"));
    const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", project]);
    const [packed] = JSON.parse(stdout.slice(stdout.indexOf("["))) as { filename: string; files: { path: string }[] }[];
    files = packed!.files.map(({ path }) => path);
    writeFileSync(join(project, "package.json"), '{ "private": true }');
    await run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${packed!.filename}`], { cwd: project });
  });
  after(() => rmSync(project, { recursive: true }));

  const compile = async (name: string, text: string, options: string[]): Promise<string> => {
    mkdirSync(join(project, name.split("/")[0]!), { recursive: true });
    writeFileSync(join(project, name), text);
    const args = ["--noEmit", "--strict", "--target", "es2022", "--typeRoots", nodeTypes, "--types", "node", ...options, name];
    return run(tsc, args, { cwd: project }).then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    );
  };

  it("brings its licence, the project's own, and no sources", () => {
    assert.ok(files.includes("LICENSE") && files.includes("README.md"));
    assert.deepEqual(files.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/\w+\.(js|d\.ts))$/.test(path)), []);
    assert.equal(readFileSync("LICENSE", "utf8"), readFileSync("../../LICENSE", "utf8"));
  });

  it("can be imported and required", async () => {
    const say = "new Candado({ baseUrl: 'https://x.io', clientId: 'a', clientSecret: 'b' }); console.log(CodeRefused.name)";
    for (const [name, load] of [
      ["say.mjs", 'import { Candado, CodeRefused } from "candado";'],
      ["say.cjs", 'const { Candado, CodeRefused } = require("candado");'],
    ] as const) {
      writeFileSync(join(project, name), `${load}\n${say}`);
      assert.equal((await run(process.execPath, [name], { cwd: project })).stdout, "CodeRefused\n", name);
    }
  });

  it("has types for every way TypeScript resolves modules", async () => {
    const program = 'import { Candado } from "candado";\nexport const mfa: Candado = Candado.fromEnv();\n';
    for (const [ending, ...options] of [
      ["ts", "--module", "commonjs", "--moduleResolution", "node10"],
      ["ts", "--module", "nodenext"],
      ["mts", "--module", "nodenext"],
      ["ts", "--module", "esnext", "--moduleResolution", "bundler"],
    ] as const) {
      assert.equal(await compile(`types/program.${ending}`, program, options), "", options.join(" "));
    }
  });

  it("compiles the README's examples", async () => {
    assert.equal(await compile("readme/program.mts", readmeProgram(), ["--module", "nodenext", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"]), "");
  });

  it("has its mistakes explained in names a reader knows", async () => {
    const program = `
      import { Candado } from "candado";
      const mfa = Candado.fromEnv();
      await mfa.verify("u", 123456);
      await mfa.register("u", { digits: 7 });
      await mfa.renew("u", { revoke_current: true });
      await mfa.importFactor("u", { digits: 8 });
      if ((await mfa.verify("u", "1")).ok) console.log("in");
    `;
    const said = await compile("mistakes/program.mts", program, ["--module", "nodenext"]);
    for (const mistake of [
      "Argument of type 'number' is not assignable to parameter of type 'string'",
      "Type '7' is not assignable to type 'Digits | undefined'",
      "'revoke_current' does not exist in type 'RenewOptions'",
      "not assignable to parameter of type 'ImportOptions'",
      "Property 'ok' does not exist on type 'Verified'",
    ]) {
      assert.ok(said.includes(mistake), said);
    }
    assert.doesNotMatch(said, /Options<|parameters:|Camel/);
  });
});
