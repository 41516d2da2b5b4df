// privacyIDEA on PostgreSQL, served by gunicorn, with what its documentation has to make it faster: pooled SQL
// connections, the user cache in Redis, and no log line for each request.
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cached, capture, Problem, pythonTools, start } from "../harness/repository.mjs";
import { answers, freePort, needPostgresAndRedis, openLog, postgresVersion, redisVersion, startPostgres, startRedis } from "../harness/servers.mjs";
import { environmentSize, packageSize, pythonVersions } from "../harness/sizes.mjs";
import { secret, userId } from "../harness/users.mjs";

const requirements = "benches/field/privacyidea/requirements.txt";
/** gunicorn's own advice: twice the cores and one. */
const WORKERS = 2 * availableParallelism() + 1;
let program;

export const privacyidea = {
  id: "privacyidea",
  name: "privacyIDEA",
  /** Its default, DefaultMaxFailCount. */
  lockAfter: 10,
  expected: 60,

  async prepare() {
    needPostgresAndRedis();
    program = await pythonTools(cached("field", "privacyidea"), "privacyIDEA", ["--requirement", requirements], { files: [requirements] });
  },

  async versions() {
    const python = await pythonVersions(program("python"), "privacyIDEA", "gunicorn", "Flask", "SQLAlchemy", "psycopg2-binary");
    return `${python}, PostgreSQL ${await postgresVersion()}, Redis ${await redisVersion()}`;
  },

  async deployed() {
    return (await environmentSize(program("python"))) + (await packageSize("postgresql-15", "redis-server", "redis-tools"));
  },

  async start(folder) {
    const [postgres, redis] = await Promise.all([startPostgres(join(folder, "postgres")), startRedis(join(folder, "redis"))]);
    const password = randomBytes(16).toString("hex");
    const env = { ...process.env, PRIVACYIDEA_CONFIGFILE: configure(folder, postgres, redis) };
    await postgres.query("CREATE TABLE people (id BIGINT PRIMARY KEY, user_id TEXT NOT NULL UNIQUE)");
    for (const args of [
      ["setup", "create_enckey"],
      ["setup", "create_audit_keys"],
      ["setup", "create_tables"],
      ["admin", "add", "field", "-p", password],
      ["config", "resolver", "create", "field", "sqlresolver", resolver(folder, postgres)],
      ["config", "realm", "create", "field", "field"],
      ["config", "realm", "set_default", "field"],
    ]) {
      const { code } = await capture(program("pi-manage"), args, { env, cwd: folder });
      if (code !== 0) throw new Problem(`pi-manage ${args.slice(0, 3).join(" ")} failed.`);
    }
    const port = await freePort();
    const log = openLog(folder, "gunicorn");
    const application = `privacyidea.app:create_app(config_name='production', config_file='${env.PRIVACYIDEA_CONFIGFILE}', silent=True)`;
    const args = ["--workers", WORKERS, "--worker-tmp-dir", "/dev/shm", "--bind", `127.0.0.1:${port}`, application];
    const server = start(program("gunicorn"), args.map(String), { env, cwd: folder, stdio: ["ignore", log, log] });
    const origin = `http://127.0.0.1:${port}`;
    await answers(`${origin}/auth`);
    const admin = await administrator(origin, password);
    const headers = { "Content-Type": "application/json" };
    return {
      origin,
      roots: () => [server.pid, postgres.pid, redis.pid],
      /** Refusals have the status 200 too. */
      mark: '"value": true',
      request: (n, code) => ({ path: "/validate/check", headers, body: JSON.stringify({ user: userId(n), pass: code }) }),
      verdict,
      stored: async () => Number(await postgres.query("SELECT count(*) FROM pidea_audit WHERE action = 'POST /validate/check' AND success = 1")),
      async enrol(users) {
        for (let from = 0; from < users.length; from += 1000) {
          const rows = users.slice(from, from + 1000).map((n) => `(${n + 1}, '${userId(n)}')`);
          if ((await postgres.query(`INSERT INTO people VALUES ${rows.join(", ")}`)) === null) throw new Problem("The user table takes no rows.");
        }
        const waiting = [...users];
        const next = async () => {
          for (let n; (n = waiting.shift()) !== undefined; ) {
            await admin("/token/init", { type: "totp", user: userId(n), otpkey: secret(n).toString("hex"), genkey: 0, hashlib: "sha1", timeStep: 30 });
          }
        };
        await Promise.all(Array.from({ length: WORKERS }, next));
      },
    };
  },
};

function configure(folder, postgres, redis) {
  mkdirSync(folder, { recursive: true });
  const random = () => randomBytes(24).toString("hex");
  const file = join(folder, "pi.cfg");
  const text = (value) => JSON.stringify(value);
  const lines = [
    "import logging",
    `SQLALCHEMY_DATABASE_URI = ${text(`postgresql+psycopg2://field@/postgres?host=${postgres.socket}`)}`,
    `SECRET_KEY = ${text(random())}`,
    `PI_PEPPER = ${text(random())}`,
    `PI_ENCFILE = ${text(join(folder, "enckey"))}`,
    `PI_AUDIT_KEY_PRIVATE = ${text(join(folder, "private.pem"))}`,
    `PI_AUDIT_KEY_PUBLIC = ${text(join(folder, "public.pem"))}`,
    `PI_UUID_FILE = ${text(join(folder, "uuid.txt"))}`,
    `PI_LOGFILE = ${text(join(folder, "privacyidea.log"))}`,
    "PI_LOGLEVEL = logging.ERROR",
    'PI_ENGINE_REGISTRY_CLASS = "shared"',
    // Without it the configuration is asked for in the database with every request.
    "PI_CHECK_RELOAD_CONFIG = 60",
    `PI_REDIS_URL = ${text(redis.url)}`,
    "PI_REDIS_CACHE_USERS = True",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

/** The users are in a table of the same database, which privacyIDEA reads as it reads any other store. */
function resolver(folder, postgres) {
  const file = join(folder, "resolver");
  const settings = {
    Driver: "postgresql+psycopg2",
    Server: "",
    Database: "postgres",
    User: "field",
    conParams: `host=${postgres.socket}`,
    Table: "people",
    Map: JSON.stringify({ userid: "id", username: "user_id" }),
  };
  writeFileSync(file, JSON.stringify(settings));
  return file;
}

/** Answers a function that posts as the administrator. */
async function administrator(origin, password) {
  const post = async (path, body, token) => {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: token }) };
    const response = await fetch(origin + path, { method: "POST", headers, body: JSON.stringify(body) });
    const answer = await response.json();
    if (!answer.result?.status) throw new Problem(`privacyIDEA, ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer.result.value;
  };
  const { token } = await post("/auth", { username: "field", password });
  return (path, body) => post(path, body, token);
}

function verdict(status, text) {
  const { result, detail } = JSON.parse(text);
  if (result?.value === true) return "good";
  const message = detail?.message ?? result?.error?.message ?? "";
  if (/failcounter exceeded/i.test(message)) return "locked";
  if (/previous otp used again/i.test(message)) return "used";
  return /wrong otp/i.test(message) ? "wrong" : `${status} ${message}`;
}
