// FastAPI, PyOTP, SQLAlchemy on asyncpg, Redis and PostgreSQL: uvicorn with two workers.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { cached, field, pythonTools, start } from "../harness/repository.mjs";
import { answers, freePort, needPostgresAndRedis, openLog, postgresVersion, redisVersion, startPostgres, startRedis } from "../harness/servers.mjs";
import { installedSize, packageSize, pythonVersion } from "../harness/sizes.mjs";
import { base32, secret, userId } from "../harness/users.mjs";

const environment = cached("field", "fastapi");
const requirements = "benches/field/fastapi/requirements.txt";
const WORKERS = 2;
let program;

export const fastapi = {
  id: "fastapi",
  name: "FastAPI, PyOTP, PostgreSQL, Redis",
  lockAfter: 5,
  expected: 1500,

  async prepare() {
    needPostgresAndRedis();
    program = await pythonTools(environment, "FastAPI and PyOTP", ["--require", requirements], { files: [requirements] });
  },

  async versions() {
    const [python, postgres, redis] = await Promise.all([pythonVersion(program("python")), postgresVersion(), redisVersion()]);
    return `Python ${python}, ${await installedSize.versions(program, ["fastapi", "uvicorn", "PyOTP", "SQLAlchemy", "asyncpg"])}, PostgreSQL ${postgres}, Redis ${redis}`;
  },

  async deployed() {
    return installedSize(environment) + (await packageSize("postgresql-15", "redis-server", "redis-tools"));
  },

  async start(folder) {
    const [postgres, redis] = await Promise.all([startPostgres(join(folder, "postgres")), startRedis(join(folder, "redis"))]);
    const port = await freePort();
    const token = randomBytes(32).toString("hex");
    const env = {
      ...process.env,
      API_TOKEN: token,
      SEALING_KEY: randomBytes(32).toString("hex"),
      DATABASE_URL: `postgresql+asyncpg://field@/postgres?host=${postgres.socket}`,
      REDIS_URL: redis.url,
    };
    const log = openLog(folder, "uvicorn");
    const options = { cwd: field("fastapi"), env, stdio: ["ignore", log, log] };
    const made = start(program("python"), ["schema.py"], options);
    await made.ended;
    const args = ["app:app", "--host", "127.0.0.1", "--port", port, "--workers", WORKERS, "--loop", "uvloop", "--http", "httptools", "--no-access-log"];
    const server = start(program("uvicorn"), args.map(String), options);
    const origin = `http://127.0.0.1:${port}`;
    await answers(`${origin}/health`);
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    return {
      origin,
      roots: () => [server.pid, postgres.pid, redis.pid],
      mark: "-",
      request: (n, code) => ({ path: "/verify", headers, body: JSON.stringify({ user_id: userId(n), code }) }),
      verdict: (status, text) => VERDICTS[JSON.parse(text).error ?? "good"] ?? `${status} ${text}`,
      stored: async () => Number(await postgres.query("SELECT count(*) FROM events WHERE event = 'verified'")),
      async enrol(users) {
        for (let from = 0; from < users.length; from += 1000) {
          const body = users.slice(from, from + 1000).map((n) => ({ user_id: userId(n), secret: base32(secret(n)) }));
          const response = await fetch(`${origin}/enrol`, { method: "POST", headers, body: JSON.stringify(body) });
          if (!response.ok) throw new Error(`enrolling gives ${response.status}: ${await response.text()}`);
        }
      },
    };
  },
};

const VERDICTS = { good: "good", invalid_code: "wrong", code_already_used: "used", locked: "locked" };
