// A real Prometheus reads two programs on one PostgreSQL, and is asked what the dashboard and the alerts ask.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { quick, Server } from "../../scripts/lib/postgres.mjs";
import { freePort } from "../../scripts/lib/service.mjs";
import { endAll, root } from "../../scripts/lib/steps.mjs";
import { askPlain, folder, startProgram, startProxy, variables } from "./programs.mjs";

let programs, prometheus;
before(async () => {
  const server = await Server.make({ settings: quick });
  const env = variables(server.url);
  programs = [await startProgram(env, await freePort()), await startProgram(env, await freePort())];
  prometheus = await startPrometheus();
  // Rates need two readings of what was there at both.
  for (let second = 0; second < 8; second += 1) {
    for (const { port } of programs) {
      await askPlain(port, "/health", { "x-forwarded-proto": "https" });
      await askPlain(port, "/mfa/status?user_id=ann", { "x-forwarded-proto": "https" });
    }
    await sleep(1000);
  }
});
after(() => endAll());

async function startPrometheus() {
  const [port, home] = [await freePort(), folder("prometheus")];
  const targets = programs.map(({ metrics }) => `127.0.0.1:${metrics}`).join(", ");
  const config = readFileSync(join(root, "deploy/prometheus/prometheus.yml"), "utf8");
  const ours = config.replaceAll("15s", "1s").replace(/targets: .*/, `targets: [${targets}]`);
  writeFileSync(join(home, "prometheus.yml"), ours);
  copyFileSync(join(root, "deploy/prometheus/alerts.yml"), join(home, "alerts.yml"));
  const args = [`--config.file=${home}/prometheus.yml`, `--storage.tsdb.path=${home}/data`, `--web.listen-address=127.0.0.1:${port}`, "--log.level=warn"];
  await startProxy(process.env.PROMETHEUS, args, { cwd: home }, async () => (await askPlain(port, "/-/ready")).status === 200);
  return port;
}

async function query(expression) {
  const { status, text } = await askPlain(prometheus, `/api/v1/query?query=${encodeURIComponent(expression)}`);
  assert.equal(status, 200, `${expression}\n${text}`);
  return JSON.parse(text).data.result;
}

test("Prometheus reads both programs, and promtool finds nothing wrong with the text", async () => {
  assert.deepEqual((await query('up{job="candado"}')).map(({ value }) => value[1]), ["1", "1"]);
  const { text } = await askPlain(programs[0].metrics, "/metrics");
  assert.equal(execFileSync(process.env.PROMTOOL, ["check", "metrics"], { input: text, encoding: "utf8" }), "");
});

test("every query of the dashboard gives something", async () => {
  const { panels } = JSON.parse(readFileSync(join(root, "deploy/grafana/candado.json"), "utf8"));
  // What only shows where something happened that did not happen here.
  const other = /candado_sqlite_|status=~"5\.\."/;
  let answered = 0;
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const filled = expr.replaceAll("$__rate_interval", "8s").replaceAll("$job", "candado").replaceAll("$instance", ".*");
      const result = await query(filled.replaceAll('route="/mfa/verify"', 'route="/mfa/status"'));
      if (!other.test(expr)) assert.ok(result.length > 0, `${title}: ${filled}`);
      answered += 1;
    }
  }
  assert.ok(answered >= 30, `${answered}`);
});

test("every rule is evaluated, and none fires where all is well", async () => {
  const { text } = await askPlain(prometheus, "/api/v1/rules");
  const rules = JSON.parse(text).data.groups.flatMap(({ rules }) => rules);
  assert.ok(rules.length >= 14);
  for (const { name, health, lastError, state } of rules) assert.deepEqual([name, health, lastError, state], [name, "ok", undefined, "inactive"]);
});
