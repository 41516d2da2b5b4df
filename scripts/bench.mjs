// npm run bench: one-time-code verification, Candado beside what others would use. `--help` says what it can do.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { candadoNative } from "../benches/field/candado/native.mjs";
import { candadoOnPostgres } from "../benches/field/candado/postgres.mjs";
import { candadoWorker } from "../benches/field/candado/worker.mjs";
import { fastapi } from "../benches/field/fastapi/contender.mjs";
import { emptyAxum, emptyWorker } from "../benches/field/floors/contenders.mjs";
import { assertBudgets } from "../benches/field/harness/budgets.mjs";
import { growth } from "../benches/field/harness/growth.mjs";
import { describeMachine, load } from "../benches/field/harness/machine.mjs";
import { main, Problem, runs } from "../benches/field/harness/repository.mjs";
import { profile, profiledProgram } from "../benches/field/harness/profile.mjs";
import { tables, writeProfile, writeReport } from "../benches/field/harness/report.mjs";
import { race } from "../benches/field/harness/rounds.mjs";
import { need } from "../benches/field/harness/servers.mjs";
import { hono } from "../benches/field/hono/contender.mjs";
import { privacyidea } from "../benches/field/privacyidea/contender.mjs";

const CONTENDERS = [candadoNative, candadoWorker, fastapi, privacyidea, hono, emptyAxum, emptyWorker];

const HELP = `npm run bench                    the whole field and the growth, written into docs/performance.md; about an hour
npm run bench -- --rounds=2      the same in fewer rounds, or more
npm run bench -- --quick         one short round, printed only
npm run bench -- --only=a,b      these contenders, printed only: ${CONTENDERS.map(({ id }) => id).join(" ")}
npm run bench -- --growth        the growth alone, printed only
npm run bench -- --growth --postgres  the same with the data in PostgreSQL
npm run bench -- --ten-million   with 10 million accounts too: about 10 GB of disk
npm run bench -- --profile       where the native program's CPU goes, as a picture; --before=PROGRAM beside another
npm run bench -- --assert        what CI holds: counts and sizes of Candado's own, no times
npm run bench -- --write         writes the results of the last whole run into docs/performance.md again
`;

const results = runs("results.json");
const flag = { type: "boolean", default: false };

await main(async () => {
  const { values: asked } = parseArgs({
    options: { help: flag, quick: flag, growth: flag, postgres: flag, "ten-million": flag, assert: flag, write: flag, profile: flag, before: { type: "string" }, only: { type: "string" }, rounds: { type: "string", default: "5" } },
  });
  if (asked.help) return void process.stdout.write(HELP);
  if (asked.write) return writeReport(JSON.parse(readFileSync(results, "utf8")));
  need("wrk");
  if (asked.profile) {
    await candadoNative.prepare();
    const before = asked.before ? [["before", asked.before]] : [];
    return writeProfile(await profile([...before, ["now", await profiledProgram()]]));
  }
  const whole = !asked.quick && !asked.only && !asked.growth && !asked.assert;
  const [rounds, seconds] = asked.quick || asked.assert ? [1, 2] : [Number(asked.rounds), 6];
  if (!Number.isInteger(rounds) || rounds < 1) throw new Problem(`--rounds=${asked.rounds} is no number of rounds.`);

  const before = load();
  const lines = asked.growth ? [] : await race(chosen(asked), { rounds, seconds });
  if (asked.growth) await candadoNative.prepare();
  const after = load();
  const points = asked.growth || asked.assert || whole ? await growth(sizes(asked), asked.postgres ? candadoOnPostgres : undefined) : [];
  const arguments_ = process.argv.slice(2);
  const found = {
    lines,
    growth: points,
    machine: await describeMachine(),
    command: ["npm run bench", ...(arguments_.length ? ["--", ...arguments_] : [])].join(" "),
    when: new Date().toISOString().slice(0, 10),
    rounds,
    seconds,
    loads: [before, after],
  };
  if (asked.assert) return assertBudgets(found);
  if (!whole) return console.log(`\n${tables(found)}`);
  mkdirSync(runs(), { recursive: true });
  writeFileSync(results, JSON.stringify(found, null, 2));
  writeReport(found);
});

function chosen({ only, assert }) {
  if (assert) return [candadoNative, candadoWorker];
  if (!only) return CONTENDERS;
  const ids = only.split(",");
  const unknown = ids.filter((id) => !CONTENDERS.some((contender) => contender.id === id));
  if (unknown.length) throw new Problem(`There is no contender ${unknown.join(", ")}.`);
  return CONTENDERS.filter(({ id }) => ids.includes(id));
}

function sizes(asked) {
  if (asked.quick || asked.assert) return [10_000];
  return [10_000, 100_000, 1_000_000, ...(asked["ten-million"] ? [10_000_000] : [])];
}
