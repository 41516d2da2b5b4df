import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { findCode } from "./code.mjs";
import { startSandbox } from "./server.mjs";
import { SMS } from "./fixtures.mjs";

let sandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(() => sandbox.close());

test("the page and all it loads come from the sandbox, under a strict policy", async () => {
  const page = await fetch(`${sandbox.url}/`);
  const html = await page.text();
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type"), /^text\/html/);
  assert.match(page.headers.get("content-security-policy"), /default-src 'none'; script-src 'self';/);
  assert.doesNotMatch(html, /<script(?![^>]*src=)|\son\w+=/i, "no inline script");

  const loaded = [...html.matchAll(/<(?:script|link)[^>]* (?:src|href)="([^"]+)"/g)].map(([, address]) => address).filter((address) => address !== "data:,");
  assert.deepEqual(loaded, ["/inbox.css", "/inbox.js"]);
  const imported = [...(await readFile(new URL("inbox.js", import.meta.url), "utf8")).matchAll(/from "\.(\/[^"]+)"/g)];
  for (const path of [...loaded, ...imported.map(([, address]) => address)]) {
    const response = await fetch(sandbox.url + path);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get("content-type"), /^text\/(css|javascript)/, path);
  }
});

test("the page calls the service where it is", async () => {
  const elsewhere = await startSandbox({ service: "http://localhost:9999" });
  try {
    const html = await (await fetch(elsewhere.url)).text();
    assert.match(html, /API=http:\/\/localhost:9999\n/);
    assert.doesNotMatch(html, /localhost:8787/);
  } finally {
    await elsewhere.close();
  }
});

test("the page writes no markup from messages and frames their HTML without rights", async () => {
  const script = await readFile(new URL("inbox.js", import.meta.url), "utf8");
  assert.doesNotMatch(script, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
  assert.match(script, /setAttribute\("sandbox", ""\)/);
});

const codes = [
  [{ text: SMS.Body }, "042917"],
  [{ text: "Ignore 111111.\n\n@acme.example #84021937" }, "84021937"],
  [{ text: "Your code is 718204." }, "718204"],
  [{ text: "Your code:\n\n    718204\n\nCall +34600111222 for help." }, "718204"],
  [{ text: null, subject: "718204 is your code" }, "718204"],
  [{ text: "Call +34600111222, order AB123456, on 2026-11-22.", subject: "Hello" }, undefined],
  [{ text: "", subject: null }, undefined],
];
for (const [message, code] of codes) {
  test(`the code of ${JSON.stringify(message)} is ${code}`, () => {
    assert.equal(findCode(message), code);
  });
}
