import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
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

test("cargo's bar is in no log, and a step writes no control characters where there is no terminal", () => {
  const cargo = "printf '    Building [=>  ] 3/7: serde\\r   Compiling serde v1\\n' >&2";
  const program = `import { step } from "./scripts/lib/steps.mjs"; await step("Building", "about 1 s", "sh", ["-c", ${JSON.stringify(cargo)}], { log: ["output-test"] });`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { cwd: root, encoding: "utf8" });
  assert.match(output, /^Building \(about 1 s\) … \d+ s\n$/);
  assert.equal(readFileSync(join(root, "target", "setup", "output-test.log"), "utf8"), "   Compiling serde v1\n");
});
