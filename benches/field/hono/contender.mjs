// Hono and otplib on workerd, with the same local D1 and KV as Candado's Worker.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { cached, field, installPackages, step, tool } from "../harness/repository.mjs";
import { base32, secret, userId } from "../harness/users.mjs";
import { startWorkerd, workerdVersions } from "../workers/workerd.mjs";

const folder = field("hono");
const built = cached("field", "hono");
const VERDICTS = { good: "good", invalid_code: "wrong", code_already_used: "used", locked: "locked", try_again: "locked" };

export const hono = {
  id: "hono",
  name: "Hono and otplib, Worker",
  lockAfter: 5,
  expected: 1200,

  async prepare() {
    await installPackages(folder);
    const args = [join(folder, "worker.js"), "--bundle", "--minify", "--format=esm", `--outfile=${join(built, "worker.js")}`];
    await step("Bundling the Hono Worker", "about 1 s", tool("esbuild"), args, { log: ["hono"] });
  },

  async versions() {
    const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `hono ${dependencies.hono}, otplib ${dependencies.otplib}, ${workerdVersions()}`;
  },

  deployed: async () => gzipSync(readFileSync(join(built, "worker.js"))).length,

  async start(data) {
    const token = randomBytes(32).toString("hex");
    const running = await startWorkerd(data, {
      script: { folder: built, modules: ["worker.js"] },
      migrations: join(folder, "migrations"),
      bindings: () => ({ API_TOKEN: token, SEALING_KEY: randomBytes(32).toString("base64") }),
      probe: "/health",
    });
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    return {
      ...running,
      mark: "-",
      request: (n, code) => ({ path: "/verify", headers, body: JSON.stringify({ user_id: userId(n), code }) }),
      verdict: (status, text) => VERDICTS[JSON.parse(text).error ?? "good"] ?? `${status} ${text}`,
      stored: async () => (await running.query("SELECT count(*) AS count FROM events WHERE event = 'verified'"))[0].count,
      async enrol(users) {
        for (let from = 0; from < users.length; from += 100) {
          const body = users.slice(from, from + 100).map((n) => ({ user_id: userId(n), secret: base32(secret(n)) }));
          const response = await fetch(`${running.origin}/enrol`, { method: "POST", headers, body: JSON.stringify(body) });
          if (!response.ok) throw new Error(`enrolling gives ${response.status}: ${await response.text()}`);
        }
      },
    };
  },
};
