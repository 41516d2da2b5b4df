// npm run test:postgres: the endpoints' cases, and what is said of PostgreSQL alone, on a server of Debian's packages that
// is made for it; then whole programs, several at a time, while they and their servers are killed.
import { join } from "node:path";
import { checks } from "./lib/checks.mjs";
import { environment, installPackages, tool } from "./lib/npm.mjs";
import { makeCertificates, postgresPrograms, quick, Server } from "./lib/postgres.mjs";
import { nativeProgram } from "./lib/program.mjs";
import { main } from "./lib/steps.mjs";

await main(async () => {
  if (!postgresPrograms()) {
    console.log("Skipped, so nothing of PostgreSQL was tested: it is not on this machine (apt-get install postgresql).");
    return 0;
  }
  await installPackages();
  const certificates = makeCertificates();
  const server = await Server.make({ settings: quick, certificates });
  const { run, end } = checks();
  const variables = { CANDADO_TEST_DATABASE_URL: server.url, CANDADO_TEST_DATABASE_CA: join(certificates, "ca.pem") };
  const rust = ["test", "--locked", "--no-fail-fast", "--test", "api", "--test", "postgres", "--", "--include-ignored"];
  await run("The endpoints and the engine, on PostgreSQL", "cargo", rust, { env: { ...process.env, ...variables } });

  const env = { ...environment, CANDADO_PROGRAM: await nativeProgram() };
  await run("Whole programs", tool("node"), ["--test", "--test-reporter", "spec", "tests/postgres/history.test.mjs"], { env });
  return end("PostgreSQL: all of it works.");
});
