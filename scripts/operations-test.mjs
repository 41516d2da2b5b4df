// npm run test:operations: nginx and Caddy, as deploy/ configures them, in front of two programs on one PostgreSQL, one of
// which ends meanwhile; what Prometheus makes of the metrics, the alerts and the dashboard's queries; and
// a mail server and a gateway as providers. The programs are Debian's, unpacked into a folder of the user's and not
// installed; the mail server is a Python package.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./lib/cache.mjs";
import { checks } from "./lib/checks.mjs";
import { environment, installPackages, tool } from "./lib/npm.mjs";
import { postgresPrograms } from "./lib/postgres.mjs";
import { nativeProgram } from "./lib/program.mjs";
import { pythonTools } from "./lib/python.mjs";
import { capture, main, Problem, step } from "./lib/steps.mjs";

const packages = ["nginx", "caddy", "prometheus"];
const programs = { NGINX: "usr/sbin/nginx", CADDY: "usr/bin/caddy", PROMETHEUS: "usr/bin/prometheus", PROMTOOL: "usr/bin/promtool" };

await main(async () => {
  if (!postgresPrograms() || (await capture("apt-get", ["--version"])).code !== 0) {
    console.log("Skipped, so no proxy was tested: this needs PostgreSQL (apt-get install postgresql) and Debian's packages.");
    return 0;
  }
  await installPackages();
  const folder = await unpacked();
  const env = { ...environment, CANDADO_PROGRAM: await nativeProgram() };
  for (const [name, path] of Object.entries(programs)) env[name] = join(folder, path);
  const python = await pythonTools(cached("tools", "aiosmtpd"), "a mail server", ["aiosmtpd==1.4.6"]);
  env.MAIL_PYTHON = python("python");
  const { run, end } = checks();
  await run("Alerts", env.PROMTOOL, ["test", "rules", "deploy/prometheus/alerts.test.yml"]);
  await run("Where to read", env.PROMTOOL, ["check", "config", "deploy/prometheus/prometheus.yml"]);
  await run("Proxies, metrics and providers", tool("node"), ["--test", "--test-reporter", "spec", "tests/operations/*.test.mjs"], { env });
  return end("Proxies, metrics, alerts, dashboard and providers: all of it works.");
});

/** The folder with Debian's programs. */
async function unpacked() {
  const folder = cached("tools", "operations");
  if (Object.values(programs).every((path) => existsSync(join(folder, path)))) return folder;
  const building = `${folder}-${process.pid}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  const download = () => step("Fetching nginx, Caddy and Prometheus", "about 10 s", "apt-get", ["download", ...packages], { cwd: building, log: ["apt-download"] });
  try {
    await download();
  } catch (problem) {
    if (process.getuid?.() !== 0) throw problem;
    await step("Reading Debian's package lists", "about 5 s", "apt-get", ["update"], { log: ["apt-update"] });
    await download();
  }
  for (const name of readdirSync(building).filter((name) => name.endsWith(".deb"))) {
    const { code, stderr } = await capture("dpkg", ["--extract", join(building, name), building]);
    if (code !== 0) throw new Problem(`${name} cannot be unpacked: ${stderr}`);
    rmSync(join(building, name));
  }
  renameSync(building, folder);
  return folder;
}
