import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { progressLine } from "./progress.mjs";
import { requestLine } from "./request-line.mjs";
import { eachLine, root } from "./steps.mjs";

const request = {
  cause: null,
  client: "app123",
  error: "invalid_code",
  method: "POST",
  ms: 41,
  request_id: "ffe6bb2b2b657bcbd4b5fd154f55cacd",
  route: "/mfa/verify",
  status: 400,
};
const shown = "POST   /mfa/verify              400 invalid_code         41 ms  app123  ffe6bb2b2b657bcbd4b5fd154f55cacd";

test("a request is one line, whatever wrangler makes of it", () => {
  assert.equal(requestLine(JSON.stringify(request)), shown);
  assert.equal(requestLine(`✘ [ERROR] ${JSON.stringify(request)}`), shown);
  assert.equal(requestLine("[wrangler:info] POST /mfa/verify 400 Bad Request (41ms)"), null);
  assert.equal(requestLine(""), null);
});

test("the cause of a failure is shown to whoever runs the service", () => {
  assert.match(requestLine(JSON.stringify({ ...request, cause: "D1 did not answer" })), /  cause: D1 did not answer$/);
});

test("what is no line about a request is shown as it is", () => {
  for (const line of ["refusing to serve: MASTER_KEYS is not set", '{"a": 1}', "null", "[wrangler:info] Ready on http://localhost:8787"]) {
    assert.equal(requestLine(line), line);
  }
});

test("lines are whole, however they arrive, and lose their colours", async () => {
  const stream = Readable.from(["one\ntw", "o\r\n\x1b[31mthr", "ee\x1b[0m\rfour"]);
  const lines = [];
  eachLine(stream, (line) => lines.push(line));
  await new Promise((resolve) => stream.on("end", resolve));
  assert.deepEqual(lines, ["one", "two", "three", "four"]);
});

const cargo = "printf '    Building [=>  ] 3/7: serde\\r   Compiling serde v1\\n' >&2";

/** What a program prints that uses the steps; there is no terminal. */
function printed(program) {
  const imports = 'import { Problem, say, sideBySide, step } from "./scripts/lib/steps.mjs";';
  return execFileSync(process.execPath, ["--input-type=module", "--eval", imports + program], { cwd: root, encoding: "utf8" });
}

test("cargo's bar is in no log, and a step writes no control characters where there is no terminal", () => {
  const output = printed(`await step("Building", "about 1 s", "sh", ["-c", ${JSON.stringify(cargo)}], { log: ["output-test"] });`);
  assert.match(output, /^Building \(about 1 s\) … \d+ s\n$/);
  assert.equal(readFileSync(join(root, "target", "setup", "output-test.log"), "utf8"), "   Compiling serde v1\n");
});

const jobs = (...all) => `[${all.map(([title, program]) => `{ title: "${title}", seconds: 3, run: () => step("${title}", "", "sh", ["-c", ${JSON.stringify(program)}], { log: ["${title}"] }) }`)}]`;

test("steps side by side have one line, and what is said meanwhile comes after it", () => {
  const output = printed(`const all = ${jobs(["one", "exit 0"], ["two", "exit 0"])};
    all.push({ title: "three", seconds: 4, run: async () => say("A sentence.") });
    await sideBySide(all);`);
  assert.match(output, /^To do, side by side: one, two, three\.\nInstalling and compiling \(about 10 s\) … \d+ s\nA sentence\.\n$/);
});

test("a failure among steps side by side is told when the others have ended", () => {
  rmSync(join(root, "target", "setup", "ended"), { force: true });
  const output = printed(`const all = ${jobs(["one", "echo broken >&2; exit 1"], ["two", "sleep 0.3; echo ended > target/setup/ended"])};
    await sideBySide(all).catch((error) => console.log(error instanceof Problem, error.message));
    console.log((await import("node:fs")).readFileSync("target/setup/ended", "utf8"));`);
  assert.match(output, /… failed\ntrue broken\n\none: failed\. Details: target\/setup\/one\.log\nended\n/);
});

test("the crates of several cargos are counted together", () => {
  const line = progressLine("");
  assert.equal(line.reads("    Building [=>  ] 3/7: serde", "one"), true);
  assert.equal(line.reads("    Building [==> ] 10/20: syn", "two"), true);
  assert.equal(line.reads("    Building [==> ] 11/20: syn", "two"), true);
  assert.equal(line.reads("   Compiling serde v1", "two"), false);
  assert.equal(line.count(), "14/27");
  line.end(true);
});
