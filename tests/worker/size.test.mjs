// What is uploaded and what is published: how large it is, and that no secret is in it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { root } from "./harness.mjs";

const LARGEST = 768 * 1024;

const dist = join(root, "dist");
const script = readFileSync(join(dist, "index.js"), "utf8");
// The folder may still hold what an earlier build left there; what counts is what the script imports.
const modules = readdirSync(dist).filter((name) => name.endsWith(".wasm") && script.includes(name));

test("the wasm is at most 768 KB gzipped", (t) => {
  assert.equal(modules.length, 1);
  const size = gzipSync(readFileSync(join(dist, modules[0]))).length;
  t.diagnostic(`wasm ${size} bytes gzipped, script ${gzipSync(script).length}`);
  assert.ok(size <= LARGEST, `${size} bytes, ${size - LARGEST} too many`);
});

const patterns = {
  "private key": /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/,
  "SendGrid key": /\bSG\.[\w-]{20,}(?:\.[\w-]{20,})?/,
  "Twilio account or key": /\b(?:AC|SK)[0-9a-f]{32}\b/,
  "client secret": /\bcnd_[\w-]{43}\b/,
  "API key": /\bcdo_[\w.-]{1,64}\.[a-z2-7]{8}_[a-z2-7]{59}\b/,
  "master key": /\b\w{1,16}:[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])/,
  "access token": /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/,
  "Cloudflare or npm or GitHub token": /\b(?:npm_\w{36}|gh[pousr]_\w{36}|AKIA[0-9A-Z]{16})\b/,
};
// Made up to be tested with or to be shown.
const madeUp = [
  /^(?:AC|SK|MG)?0{32}$/,
  /0123456789abcdef/,
  /:A{43}=$/,
  // Bytes that count up.
  /:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=$/,
  /:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=$/,
];

/** `place: kind` for everything in the text that looks like a secret and is not made up. */
function secretsIn(place, text) {
  return Object.entries(patterns).flatMap(([kind, pattern]) => {
    const finds = [...text.matchAll(new RegExp(pattern, "g"))].map(([find]) => find);
    return finds.filter((find) => !madeUp.some((known) => known.test(find))).map(() => `${place}: ${kind}`);
  });
}

test("CRY-12: the scan finds what it looks for", () => {
  const secrets = [
    `-----BEGIN EC ${"PRIVATE"} KEY-----`,
    `SG.${"x".repeat(22)}.${"y".repeat(43)}`,
    `AC${"0f".repeat(16)}`,
    `cnd_${"x".repeat(43)}`,
    `cdo_app.${"k2".repeat(4)}_${"x".repeat(59)}`,
    `MASTER_KEYS="k1:${Buffer.alloc(32, "x7").toString("base64")}"`,
    `eyJhbGciOiJIUzI1NiJ9.${"eyJpc3MiOiJ4Ijoi"}.${"x".repeat(43)}`,
    `ghp_${"x".repeat(36)}`,
  ];
  for (const [index, kind] of Object.keys(patterns).entries()) {
    assert.deepEqual(secretsIn("x", `a ${secrets[index]} b`), [`x: ${kind}`]);
  }
});

test("CRY-12: no secret is in what is uploaded", () => {
  const files = ["index.js", "index.js.map", ...modules].filter((name) => existsSync(join(dist, name)));
  assert.deepEqual(files.flatMap((name) => secretsIn(name, readFileSync(join(dist, name), "latin1"))), []);
});

test("CRY-12: no secret is in the repository", () => {
  const list = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  const files = list.split("\0").filter((name) => name && existsSync(join(root, name)));
  assert.ok(files.length > 50);
  // The tests and the fuzzers' corpora are made of made-up secrets; a key or token of a provider has no business there either.
  const found = files.flatMap((name) => secretsIn(name, readFileSync(join(root, name), "latin1")));
  const inTests = (find) => /(?:^|\/)(?:tests?|fuzz)\/|\.test\.mjs/.test(find) && /: (?:master key|access token|client secret)$/.test(find);
  assert.deepEqual(found.filter((find) => !inTests(find)), []);
});

test("only src/cloudflare knows the platform's crate", () => {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".rs"));
  const users = files.filter((name) => /\bworker::/.test(readFileSync(join(root, "src", name), "utf8")));
  assert.ok(users.length >= 4);
  assert.deepEqual(users.filter((name) => !name.startsWith("cloudflare/")), []);
});
