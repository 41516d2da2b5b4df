// PostgreSQL's own programs, and servers of theirs in folders that go with the script. They are never run as root, which
// PostgreSQL refuses.
import { execFileSync } from "node:child_process";
import { chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./service.mjs";
import { atEnd, capture, Problem, start } from "./steps.mjs";

/** The folder with `initdb` and `postgres`, the newest there is; none where PostgreSQL is not installed. */
export function postgresPrograms() {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((one, other) => Number(other) - Number(one)) : [];
  const folders = [...versions.map((version) => join(debian, version, "bin")), ...(process.env.PATH ?? "").split(":")];
  return folders.find((folder) => ["initdb", "postgres", "pg_basebackup"].every((name) => existsSync(join(folder, name))));
}

/** The user the servers run as, where this script runs as root. */
function unprivileged() {
  if (process.getuid() !== 0) return null;
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" })));
  return { uid, gid };
}

const durable = {};
/** For tests that lose no power: several times as quick. */
export const quick = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

/** A server in a folder of its own, which has a database `candado` of a user `candado`. */
export class Server {
  #programs = postgresPrograms();
  #user = unprivileged();
  #child;

  constructor(folder, port, settings) {
    Object.assign(this, { folder, port, settings });
  }

  /** A new one, started. `settings`: of postgresql.conf. */
  static async make({ settings = durable, certificates } = {}) {
    const folder = mkdtempSync(join(tmpdir(), "candado-postgres-"));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    const server = new Server(folder, await freePort(), settings);
    server.#own(folder);
    const data = ["-D", server.#data, "-U", "candado", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
    await server.#run("initdb", data);
    if (certificates) server.#trust(certificates);
    await server.start();
    await server.sql("CREATE DATABASE candado", "postgres");
    return server;
  }

  /** Another one that follows this one, started. */
  async makeStandby(settings = this.settings) {
    const folder = mkdtempSync(join(tmpdir(), "candado-postgres-"));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    const standby = new Server(folder, await freePort(), settings);
    standby.#own(folder);
    const from = ["-h", "127.0.0.1", "-p", this.port, "-U", "candado", "-D", standby.#data];
    await standby.#run("pg_basebackup", [...from, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
    await standby.start();
    return standby;
  }

  get #data() {
    return join(this.folder, "data");
  }

  get url() {
    return `postgres://candado@127.0.0.1:${this.port}/candado?sslmode=disable`;
  }

  async start() {
    const settings = { listen_addresses: "127.0.0.1", unix_socket_directories: this.folder, max_connections: 300, ...this.settings };
    const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const deadline = Date.now() + 20_000;
    do {
      this.#child = start(join(this.#programs, "postgres"), ["-D", this.#data, "-p", this.port, ...args], this.#options);
      const ended = this.#child.ended.then(() => true);
      while (!(await Promise.race([ended, sleep(50)]))) {
        if ((await this.#capture("pg_isready", ["-h", "127.0.0.1", "-p", this.port])).code === 0) return;
      }
      // What is left of one that was killed holds its memory for a moment.
      await sleep(100);
    } while (Date.now() < deadline);
    throw new Problem("PostgreSQL does not start.");
  }

  /** Ends it as if its process had failed. What it has written, the operating system keeps. */
  async kill() {
    this.#child.kill("SIGKILL");
    await this.#child.ended;
  }

  /** From now on a commit waits for the standby. */
  async waitForStandby() {
    await this.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    await this.sql("SELECT pg_reload_conf()");
    const states = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    while ((await this.sql(states)) !== "1") await new Promise((resolve) => setTimeout(resolve, 50));
  }

  promote() {
    return this.#run("pg_ctl", ["promote", "-w", "-D", this.#data]);
  }

  async sql(text, database = "candado") {
    const args = ["-h", "127.0.0.1", "-p", this.port, "-U", "candado", "-d", database, "-v", "ON_ERROR_STOP=1", "-AtXc", text];
    return this.#run("psql", args);
  }

  async #run(name, args) {
    const { code, stdout } = await this.#capture(name, args);
    if (code !== 0) throw new Problem(`${name} fails (${code}): ${args.join(" ")}\n${stdout}`);
    return stdout;
  }

  #capture(name, args) {
    return capture(join(this.#programs, name), args.map(String), this.#options);
  }

  get #options() {
    return { cwd: this.folder, ...(this.#user ?? {}), stdio: ["ignore", "pipe", "pipe"] };
  }

  #own(path) {
    if (this.#user) chownSync(path, this.#user.uid, this.#user.gid);
  }

  /** Speaks TLS to whoever asks for it. */
  #trust(certificates) {
    for (const name of ["server.crt", "server.key"]) {
      const path = join(this.#data, name);
      copyFileSync(join(certificates, name), path);
      execFileSync("chmod", ["600", path]);
      this.#own(path);
    }
    this.settings = { ...this.settings, ssl: "on" };
  }
}

/** A folder with a certificate for `name`, its authority `ca.pem`, and another authority `other.pem`. */
export function makeCertificates({ name = "localhost" } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "candado-certificates-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const openssl = (...args) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  for (const name of ["ca", "other"]) {
    openssl("req", "-x509", ...key, "-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", `/CN=The tests' ${name}`);
  }
  openssl("req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", `/CN=${name}`);
  writeFileSync(join(folder, "names"), `subjectAltName=DNS:${name}\n`);
  openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-extfile", "names", "-out", "server.crt");
  return folder;
}
