// FastAPI, PyOTP, SQLAlchemy on asyncpg, Redis and PostgreSQL: uvicorn with two workers.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { cached, field, pythonTools, start } from "../harness/repository.mjs";
import { answers, freePort, needPostgresAndRedis, openLog, postgresVersion, redisVersion, startPostgres, startRedis } from "../harness/servers.mjs";
import { environmentSize, packageSize, pythonVersions } from "../harness/sizes.mjs";
import { base32, secret, userId } from "../harness/users.mjs";

const requirements = "benches/field/fastapi/requirements.txt";
const VERDICTS = { good: "good", invalid_code: "wrong", code_already_used: "used", locked: "locked" };
let program;

export const fastapi = {
  id: "fastapi",
  name: "FastAPI, PyOTP, Redis, PostgreSQL",
  lockAfter: 5,
  expected: 1500,

  async prepare() {
    needPostgresAndRedis();
    program = await pythonTools(cached("field", "fastapi"), "FastAPI and PyOTP", ["--requirement", requirements], { files: [requirements] });
  },

  async versions() {
    const python = await pythonVersions(program("python"), "fastapi", "pyotp", "SQLAlchemy", "asyncpg", "uvicorn", "uvloop", "cryptography");
    return `${python}, PostgreSQL ${await postgresVersion()}, Redis ${await redisVersion()}`;
  },

  async deployed() {
    return (await environmentSize(program("python"))) + (await packageSize("postgresql-15", "redis-server", "redis-tools"));
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
    await start(program("python"), ["schema.py"], options).ended;
    const args = ["app:app", "--host", "127.0.0.1", "--port", port, "--workers", 2, "--loop", "uvloop", "--http", "httptools", "--no-access-log"];
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
