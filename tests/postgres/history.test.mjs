// The native program's histories: alone on SQLite, and three at a time on one PostgreSQL, while a program or the server is
// killed, or another server takes its place. Whatever happens, one user who does one thing at a time could have lived through
// it: no code is good twice, and no failure is lost.
import { after, test } from "node:test";
import { Server } from "../../scripts/lib/postgres.mjs";
import { endAll } from "../../scripts/lib/steps.mjs";
import { explainable, liesAreNoticed } from "../worker/history/run.mjs";
import { startPrograms } from "./programs.mjs";

// The program is quick: in this time it does as much as the Worker in twice as long.
const seconds = 12;

after(() => endAll());

async function withPrograms(count, database, run) {
  const programs = await startPrograms(count, database);
  try {
    await run(programs);
  } finally {
    await programs.close();
  }
}

test("one program on SQLite, which is killed", async (t) => {
  await withPrograms(1, {}, async (programs) => {
    await explainable(programs, t, { seconds, disturb: () => programs.killOne() });
  });
});

test("three programs on one PostgreSQL, one of which is killed", async (t) => {
  const server = await Server.make();
  await withPrograms(3, { DATABASE_URL: server.url }, async (programs) => {
    const plainest = await explainable(programs, t, { seconds, disturb: () => programs.killOne() });
    liesAreNoticed(plainest, t);
  });
});

test("three programs on one PostgreSQL, which is killed", async (t) => {
  const server = await Server.make();
  await withPrograms(3, { DATABASE_URL: server.url }, async (programs) => {
    const disturb = () =>
      programs.hold(async () => {
        await server.kill();
        await server.start();
      });
    await explainable(programs, t, { seconds, disturb });
  });
});

test("three programs on a PostgreSQL whose place its synchronous standby takes", async (t) => {
  const primary = await Server.make();
  const standby = await primary.makeStandby();
  await primary.waitForStandby();
  const url = `postgres://candado@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/candado?sslmode=disable`;
  await withPrograms(3, { DATABASE_URL: url }, async (programs) => {
    const disturb = () =>
      programs.hold(async () => {
        await primary.kill();
        await standby.promote();
      });
    await explainable(programs, t, { seconds, disturb });
  });
});
