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
  await installPackages();
  const env = { ...environment, CANDADO_PROGRAM: await nativeProgram() };
  env.MAIL_PYTHON = (await pythonTools(cached("tools", "aiosmtpd"), "a mail server", ["aiosmtpd==1.4.6"]))("python");
  const { run, end } = checks();
  const tests = (...names) => ["--test", "--test-reporter", "spec", ...names.map((name) => `tests/operations/${name}.test.mjs`)];
  await run("Providers", tool("node"), tests("providers"), { env });
  if (!postgresPrograms() || (await capture("apt-get", ["--version"])).code !== 0) {
    console.log("\nNo proxy was tested: that needs PostgreSQL (apt-get install postgresql) and Debian's packages.");
    return end("Providers work. Proxies, metrics, alerts and dashboard were skipped.");
  }
  const folder = await unpacked();
  for (const [name, path] of Object.entries(programs)) env[name] = join(folder, path);
  await run("Alerts", env.PROMTOOL, ["test", "rules", "deploy/prometheus/alerts.test.yml"]);
  await run("Where to read", env.PROMTOOL, ["check", "config", "deploy/prometheus/prometheus.yml"]);
  await run("Proxies and metrics", tool("node"), tests("proxies", "metrics"), { env });
  return end("Providers, proxies, metrics, alerts and dashboard: all of it works.");
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
