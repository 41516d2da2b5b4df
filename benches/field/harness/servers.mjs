// Programs that contenders stand on: a PostgreSQL and a Redis of their own, everything on the disk.
import { chownSync, existsSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { capture, Problem, start } from "./repository.mjs";

const PACKAGES = "apt-get install --yes postgresql redis-server wrk";

/** Throws the line with which a contender is left out. */
export function needPostgresAndRedis() {
  postgresPrograms();
  need("redis-server");
}

export function need(program) {
  const found = process.env.PATH.split(":").some((folder) => existsSync(join(folder, program)));
  if (!found) throw new Problem(`${program} is missing: \`${PACKAGES}\` as root`);
}

/** The newest of Debian's, which are not on PATH. */
function postgresPrograms() {
  const base = "/usr/lib/postgresql";
  const versions = existsSync(base) ? readdirSync(base).map(Number).sort((a, b) => b - a) : [];
  if (versions.length === 0) throw new Problem(`PostgreSQL is missing: \`${PACKAGES}\` as root`);
  return join(base, String(versions[0]), "bin");
}

/** A cluster that begins empty, reached through a socket in `folder`, with fsync as it is by default: on. */
export async function startPostgres(folder) {
  const programs = postgresPrograms();
  const data = join(folder, "data");
  mkdirSync(folder, { recursive: true });
  const as = await unprivileged();
  if (as) chownSync(folder, as.uid, as.gid);
  const options = { cwd: folder, ...as };
  const made = await capture(join(programs, "initdb"), ["-D", data, "-A", "trust", "-U", "field", "--no-instructions", "--locale=C.UTF-8"], options);
  if (made.code !== 0) throw new Problem(`initdb failed in ${folder}.`);
  const settings = {
    unix_socket_directories: folder,
    listen_addresses: "",
    // A quarter of the memory is the usual advice; all of the data fits in far less.
    shared_buffers: "256MB",
    max_connections: "120",
  };
  const args = ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  const server = start(join(programs, "postgres"), args, options);
  const database = { pid: server.pid, socket: folder, query };

  async function query(sql) {
    const args = ["-h", folder, "-U", "field", "-d", "postgres", "-X", "-A", "-t", "-c", sql];
    const { code, stdout } = await capture(join(programs, "psql"), args);
    return code === 0 ? stdout : null;
  }
  await until(async () => (await query("SELECT 1")) === "1", "PostgreSQL");
  return database;
}

export async function postgresVersion() {
  const { stdout } = await capture(join(postgresPrograms(), "postgres"), ["--version"]);
  return stdout.split(" ")[2];
}

export async function redisVersion() {
  const { stdout } = await capture("redis-server", ["--version"]);
  return stdout.match(/v=([\d.]+)/)[1];
}

/** With the log that Redis advises for what must outlast a restart, synced every second. */
export async function startRedis(folder) {
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, "redis.sock");
  const args = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--appendonly", "yes", "--save", ""];
  const server = start("redis-server", args, { cwd: folder });
  await until(() => existsSync(socket), "Redis");
  return { pid: server.pid, url: `unix://${socket}` };
}

/** PostgreSQL refuses to run as root; Debian's package brings a user for it. */
async function unprivileged() {
  if (process.getuid() !== 0) return null;
  const [uid, gid] = await Promise.all(["-u", "-g"].map((flag) => capture("id", [flag, "postgres"])));
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

export async function until(holds, what, seconds = 60) {
  for (const deadline = Date.now() + 1000 * seconds; Date.now() < deadline; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Problem(`${what} does not get ready within ${seconds} s.`);
}

/** Waits for the first answer of an HTTP server. */
export const answers = (url, seconds) =>
  until(() => fetch(url).then((response) => response.text().then(() => response.status < 500), () => false), url, seconds);

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A file for what a program says, to be given to it as its output. */
export function openLog(folder, name) {
  mkdirSync(folder, { recursive: true });
  return openSync(join(folder, `${name}.log`), "a");
}
