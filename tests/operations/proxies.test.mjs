// nginx and Caddy as deploy/ configures them, in front of two programs on one PostgreSQL.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeCertificates, Server } from "../../scripts/lib/postgres.mjs";
import { freePort } from "../../scripts/lib/service.mjs";
import { endAll, root } from "../../scripts/lib/steps.mjs";
import { ask, askPlain, folder, host, startProgram, startProxy, variables } from "./programs.mjs";

const deployed = (path) => readFileSync(join(root, "deploy", path), "utf8");

let server, certificates, ca;
before(async () => {
  server = await Server.make();
  certificates = makeCertificates({ name: host });
  ca = readFileSync(join(certificates, "ca.pem"));
});
after(() => endAll());

/** nginx with our file as one of its own; ports and the certificate's place are this test's. */
async function nginx(programs) {
  const [port, home] = [await freePort(), folder("nginx")];
  let conf = deployed("nginx/candado.conf")
    .replace("127.0.0.1:8787", `127.0.0.1:${programs[0].port}`)
    .replace("127.0.0.1:8788", `127.0.0.1:${programs[1].port}`)
    .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
    .replace("/etc/ssl/mfa.example.com.pem", join(certificates, "server.crt"))
    .replace("/etc/ssl/mfa.example.com.key", join(certificates, "server.key"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${home}/${name};`).join(" ");
  conf = `daemon off; pid ${home}/pid; error_log stderr; worker_processes 1; events {}\nhttp { ${temporary}\n${conf} }\n`;
  if (process.getuid() === 0) conf = `user root;\n${conf}`;
  writeFileSync(join(home, "nginx.conf"), conf);
  const proxy = { port, ca };
  await startProxy(process.env.NGINX, ["-p", home, "-e", "stderr", "-c", join(home, "nginx.conf")], {}, async () => (await ask(proxy, "GET", "/health/live")).status === 200);
  return proxy;
}

/** Caddy with our file; its variables are this test's. */
async function caddy(programs) {
  const [port, home] = [await freePort(), folder("caddy")];
  mkdirSync(join(home, "data"));
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    XDG_DATA_HOME: join(home, "data"),
    XDG_CONFIG_HOME: home,
    CANDADO_HOST: `https://${host}:${port}`,
    CANDADO_TLS: `tls ${join(certificates, "server.crt")} ${join(certificates, "server.key")}`,
    CANDADO_PROGRAMS: programs.map((program) => `127.0.0.1:${program.port}`).join(" "),
  };
  const args = ["run", "--config", join(root, "deploy/caddy/Caddyfile"), "--adapter", "caddyfile"];
  const proxy = { port, ca };
  await startProxy(process.env.CADDY, args, { cwd: home, env }, async () => (await ask(proxy, "GET", "/health")).status === 200);
  return proxy;
}

for (const [name, make] of Object.entries({ nginx, Caddy: caddy })) {
  describe(name, () => {
    let env, programs, proxy, token;
    before(async () => {
      env = variables(server.url, { DRAIN_SECONDS: "4" });
      await server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
      programs = [await startProgram(env, await freePort()), await startProgram(env, await freePort())];
      proxy = await make(programs);
      const operator = { authorization: `Bearer ${env.ADMIN_TOKEN}` };
      const client = { name: "Shop", client_id: "shop", settings: { registrations_per_minute: 1_000_000 } };
      const made = await ask(proxy, "POST", "/admin/clients", { body: client, headers: operator });
      assert.equal(made.status, 201, made.text);
      const body = { client_id: "shop", client_secret: JSON.parse(made.text).client_secret };
      token = JSON.parse((await ask(proxy, "POST", "/auth", { body })).text).access_token;
    });
    after(() => Promise.all(programs.map(({ child }) => (child.kill("SIGKILL"), child.ended))));

    const status = (user) => ask(proxy, "GET", `/mfa/status?user_id=${user}`, { headers: { authorization: `Bearer ${token}` } });

    test("API-06: a request is https because the proxy says so, whatever its caller wrote", async () => {
      for (const forged of ["http", "https, http", ""]) {
        const { status } = await ask(proxy, "GET", "/health", { headers: { "x-forwarded-proto": forged } });
        assert.equal(status, 200, forged);
      }
      // Past the proxy nobody is believed who does not say it.
      assert.equal((await askPlain(programs[0].port, "/health")).status, 403);
    });

    test("both programs are asked", async () => {
      for (let turn = 0; turn < 20; turn += 1) await status("ann");
      for (const { log } of programs) assert.ok(log.some(({ route }) => route === "/mfa/status"));
    });

    test("a body that is too large is refused by the program, and one that is far too large by the proxy", async () => {
      const post = (length) => ask(proxy, "POST", "/auth", { body: "x".repeat(length) });
      const large = await post(20_000);
      assert.equal(large.status, 413);
      assert.equal(JSON.parse(large.text).error, "payload_too_large");
      // Caddy 2.6 calls it the program's fault.
      assert.equal((await post(100_000)).status, name === "Caddy" ? 502 : 413);
    });

    test("metrics are on no path of the proxy's", async () => {
      assert.equal((await ask(proxy, "GET", "/metrics")).status, 404);
      assert.match((await askPlain(programs[0].metrics, "/metrics")).text, /candado_requests_total/);
    });

    test("an upgrade of one program after the other fails no request", async (t) => {
      let going = true;
      const statuses = new Map();
      const agent = new Agent({ keepAlive: true, maxSockets: 8 });
      const caller = async (number) => {
        for (let turn = 0; going; turn += 1) {
          const body = { user_id: `user-${number}-${turn}`, confirm: false };
          const { status, text } = await ask({ ...proxy, agent }, "POST", "/mfa/register", { body, headers: { authorization: `Bearer ${token}` } });
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status !== 200) t.diagnostic(`${status} ${text}`);
          await sleep(20);
        }
      };
      const callers = Array.from({ length: 8 }, (_, number) => caller(number));
      await sleep(500);
      for (const index of [0, 1]) {
        const { child, port } = programs[index];
        child.kill("SIGTERM");
        const { code } = await child.ended;
        assert.equal(code, 0);
        programs[index] = await startProgram(env, port);
        await sleep(3000);
      }
      going = false;
      await Promise.all(callers);
      agent.destroy();
      t.diagnostic(`${statuses.get(200)} requests`);
      assert.deepEqual([...statuses.keys()], [200]);
      assert.ok(statuses.get(200) > 100);
    });

    test("a program that dies takes no more than what was under way with it", async () => {
      programs[0].child.kill("SIGKILL");
      await programs[0].child.ended;
      for (let turn = 0; turn < 20; turn += 1) assert.equal((await status("ann")).status, 200);
      programs[0] = await startProgram(env, programs[0].port);
    });

    test("ATK-88: who guesses at client secrets is slowed down", { skip: name === "Caddy" && "Caddy has no such limit of its own" }, async () => {
      const guess = () => ask(proxy, "POST", "/auth", { body: { client_id: "shop", client_secret: "wrong" } });
      const answers = await Promise.all(Array.from({ length: 40 }, guess));
      const refused = answers.filter(({ status, text }) => status === 429 && !text.startsWith("{"));
      assert.ok(refused.length >= 10, `${refused.length}`);
    });
  });
}
