import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { releaseOf, sha256, takeWorker } from "./release.mjs";

let place, folder, server, releases, archive, release;
let said;

before(async () => {
  place = mkdtempSync(join(tmpdir(), "release-"));
  for (const name of ["index.js", "index_bg.wasm"]) writeFileSync(join(place, name), `the ${name} of the release`);
  execFileSync("tar", ["-czf", "worker.tar.gz", "index.js", "index_bg.wasm"], { cwd: place });
  archive = readFileSync(join(place, "worker.tar.gz"));
  release = { version: "1.2.0", archive: "worker.tar.gz", sha256: sha256(archive), sources: "of the release" };
  server = createServer((request, response) => {
    if (request.url !== "/releases/v1.2.0/worker.tar.gz") response.writeHead(404);
    response.end(archive);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  releases = `http://127.0.0.1:${server.address().port}/releases`;
});
after(() => {
  server.close();
  rmSync(place, { recursive: true });
});
beforeEach((t) => {
  folder = join(place, "taken");
  rmSync(folder, { recursive: true, force: true });
  said = [];
  t.mock.method(console, "log", (text) => said.push(text));
});

const isCompiled = (why) => {
  assert.equal(existsSync(folder), false);
  assert.equal(said.length, 1);
  assert.match(said[0], /^Compiling the Worker, not taking that of release 1\.2\.0: /);
  assert.match(said[0], why);
};

test("the Worker of a release is taken when its checksum holds", async () => {
  assert.equal(await takeWorker(release, folder, `${releases}/`), true);
  assert.equal(readFileSync(join(folder, "index.js"), "utf8"), "the index.js of the release");
  assert.equal(readFileSync(join(folder, "index_bg.wasm"), "utf8"), "the index_bg.wasm of the release");
  assert.deepEqual(said, ["Took the Worker of release 1.2.0; its checksum holds."]);
});

test("a Worker that somebody put in the release's place is not taken", async () => {
  assert.equal(await takeWorker({ ...release, sha256: sha256("what was released") }, folder, releases), false);
  isCompiled(/gives is another file/);
});

test("it is compiled where it cannot be fetched, or is not there", async () => {
  assert.equal(await takeWorker(release, folder, "http://127.0.0.1:1"), false);
  isCompiled(/it cannot be fetched/);
  said = [];
  assert.equal(await takeWorker({ ...release, version: "1.2.1" }, folder, releases), false);
  assert.match(said[0], /v1\.2\.1\/worker\.tar\.gz gives 404/);
});

test("it is compiled while releases have no public address", async () => {
  assert.equal(await takeWorker(release, folder, ""), false);
  isCompiled(/releases have no public address yet/);
});

test("an archive with a matching checksum that does not hold the Worker is not taken", async () => {
  execFileSync("tar", ["-czf", "half.tar.gz", "index.js"], { cwd: place });
  const whole = archive;
  archive = readFileSync(join(place, "half.tar.gz"));
  assert.equal(await takeWorker({ ...release, sha256: sha256(archive) }, folder, releases), false);
  archive = whole;
  isCompiled(/cannot be unpacked/);
});

test("only the unchanged source of a release takes its Worker", () => {
  assert.equal(releaseOf("of the release", place), null);
  assert.deepEqual(said, []);
  writeFileSync(join(place, "release.json"), JSON.stringify(release));
  assert.deepEqual(releaseOf("of the release", place), release);
  assert.equal(releaseOf("changed", place), null);
  assert.deepEqual(said, ["The sources are not those of release 1.2.0 any more: compiling the Worker."]);
});
