// The program in its image, which scripts/image-test.mjs has made in the folder IMAGE.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

const { IMAGE: image, PORT: port } = process.env;
const stage = JSON.parse(process.env.STAGE);
const [volume] = stage.volumes;
const address = `http://127.0.0.1:${port}`;
const adminToken = randomBytes(36).toString("base64url");

// As `docker run --read-only` has it: the image cannot be written to, its volume can. Only here the network is shared.
const variables = {
  ...stage.env,
  LISTEN: `127.0.0.1:${port}`,
  PUBLIC_URL: "https://mfa.example.com",
  BEHIND_TLS_PROXY: "true",
  MASTER_KEYS: `k1:${randomBytes(32).toString("base64")}`,
  ADMIN_TOKEN: adminToken,
};
const script = `
  mount --make-rprivate /
  mount --bind "$0" "$0"
  mount --bind "$0${volume}" "$0${volume}"
  mount -o remount,bind,ro "$0"
  user=$1; shift
  exec chroot --userspec="$user" "$0" "$@"`;
const contained = (command, env) => ["unshare", ["--mount", "sh", "-ec", script, image, stage.user, ...command], { env: { PATH: process.env.PATH, ...env } }];
const run = (command, env = variables) => spawnSync(...contained(command, env));

let program;
let output = "";
const ended = () => new Promise((resolve) => program.once("close", (code) => resolve(code)));
const get = (path, options) => fetch(address + path, { ...options, headers: { "X-Forwarded-Proto": "https", ...options?.headers } });

before(async () => {
  const data = join(image, volume);
  for (const name of readdirSync(data)) rmSync(join(data, name));
  program = spawn(...contained(stage.entrypoint, variables));
  for (const stream of [program.stdout, program.stderr]) stream.on("data", (text) => (output += text));
  for (let n = 0; n < 100 && program.exitCode === null; n++) {
    if (await get("/health").catch(() => null)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`The program does not answer:\n${output}`);
});
after(() => program?.kill("SIGKILL"));

test("the image is under 20 MB, and the program needs no library", () => {
  const files = readdirSync(image, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sizes = files.filter(({ parentPath }) => parentPath !== join(image, volume)).map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  assert.equal(sizes.length, 2);
  assert.ok(sizes.reduce((sum, size) => sum + size) < 20e6, String(sizes));
  const { stdout } = spawnSync("readelf", ["--program-headers", "--dynamic", join(image, "candado")], { encoding: "utf8" });
  assert.match(stdout, /LOAD/);
  assert.doesNotMatch(stdout, /INTERP|NEEDED/);
});

test("it starts from nothing, answers, and what it stores is in its volume", async () => {
  assert.equal((await get("/health")).status, 200);
  const headers = { Authorization: `Bearer ${adminToken}`, "Content-Type": "application/json" };
  const made = await get("/admin/clients", { method: "POST", headers, body: JSON.stringify({ name: "Shop" }) });
  assert.equal(made.status, 201, await made.text());
  assert.ok(readdirSync(join(image, volume)).includes("candado.sqlite"));
});

test("it serves the guides and the reference, with their policies", async () => {
  for (const [path, says] of [["/", "<title>Candado"], ["/docs", "<title>"], ["/docs/quick-start", "<h1"]]) {
    const page = await get(path);
    assert.equal(page.status, 200, path);
    assert.ok((await page.text()).includes(says), path);
    assert.match(page.headers.get("Content-Security-Policy"), /default-src 'none'/, path);
    const again = await get(path, { headers: { "If-None-Match": page.headers.get("ETag") } });
    assert.equal(again.status, 304, path);
  }
  assert.equal((await get("/docs/nowhere")).status, 404);
  assert.deepEqual(await (await get("/docs/assets/local.json")).json(), { inbox: null });
  const moved = await get("/docs/quick-start.html", { redirect: "manual" });
  assert.equal(moved.headers.get("Location"), "/docs/quick-start");
});

test("it is not root, and nothing but its volume can be written to", () => {
  const [uid, gid] = stage.user.split(":");
  const status = readFileSync(`/proc/${program.pid}/status`, "utf8");
  assert.match(status, new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, "m"));
  assert.match(status, new RegExp(`^Gid:\t${gid}\t${gid}\t${gid}\t${gid}$`, "m"));
  assert.notEqual(uid, "0");
  assert.equal(statSync(join(image, volume)).mode & 0o777, 0o700);

  // A folder its user may write to shows that it is the mount that refuses.
  const own = join(image, "own");
  mkdirSync(own);
  chownSync(own, Number(uid), Number(gid));
  const { status: code, stderr } = run(stage.entrypoint, { ...variables, DATABASE: "/own/candado.sqlite", LISTEN: "127.0.0.1:0" });
  rmSync(own, { recursive: true });
  assert.equal(code, 1);
  assert.match(stderr.toString(), /DATABASE is not usable: \/own\/candado\.sqlite/);
});

test("the image listens on every address of its container, at the port that it exposes", () => {
  assert.equal(stage.env.LISTEN, `0.0.0.0:${stage.ports[0]}`);
  assert.ok(stage.env.DATABASE.startsWith(`${volume}/`));
  assert.equal(stage.from, "scratch");
});

test("its health check says whether it serves, and it ends when told to", async () => {
  const well = run(stage.health);
  assert.equal(well.status, 0, well.stderr.toString());
  const end = ended();
  program.kill("SIGTERM");
  assert.equal(await end, 0, output);
  assert.match(output, /candado has ended/);
  assert.equal(run(stage.health).status, 1);
});
