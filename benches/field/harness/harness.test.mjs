// The parts of the benchmark that figures rest on. Run by `node --test benches/field/harness/*.test.mjs`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { check } from "./checks.mjs";
import { figure, goals, number, ratio } from "./figures.mjs";
import { bars, curve } from "./pictures.mjs";
import { cpuSeconds, memory } from "./processes.mjs";
import { tables } from "./report.mjs";
import { base32, codeOf, secret, stepAt, userId, wrongCodes } from "./users.mjs";

test("a user's code is the one an independent library makes", async () => {
  const { generate } = await import("otplib");
  for (const [n, seconds] of [[0, 59], [1, 1111111109], [123456, 1234567890], [999999, 2000000000]]) {
    const token = await generate({ secret: base32(secret(n)), epoch: seconds });
    assert.equal(codeOf(n, stepAt(seconds)), token);
  }
});

test("a wrong code is right at no step near", () => {
  const right = [-1, 0, 1].map((distance) => codeOf(7, 1000 + distance));
  const wrong = wrongCodes(7, 1000, 50);
  assert.equal(new Set(wrong).size, 50);
  assert.ok(wrong.every((code) => !right.includes(code)));
});

test("all requests of a turn have one length", () => {
  assert.equal(new Set([0, 9, 999_999, 900_000_029].map((n) => userId(n).length)).size, 1);
});

const linux = process.platform === "linux" ? {} : { skip: "read from /proc" };

test("what a process burns and holds is counted, with its children that have ended", linux, async () => {
  const burn = "while (process.cpuUsage().user < 500_000);";
  const script = `require("node:child_process").spawnSync(process.execPath, ["-e", ${JSON.stringify(burn)}]); console.log("burnt"); setTimeout(() => {}, 60000);`;
  const child = spawn(process.execPath, ["-e", script]);
  try {
    await once(child.stdout, "data");
    assert.ok(cpuSeconds([child.pid]) >= 0.5);
    assert.ok(memory([child.pid]) > 10e6);
  } finally {
    child.kill();
  }
});

/** A service that answers what `decide` says of a user's attempts so far, which it sees a moment late. */
function careless({ late, lockAfter = 5 }) {
  const wrong = new Map();
  const spent = new Set();
  return {
    lockAfter,
    enrol: async () => {},
    request: (user, code) => ({ path: "/", headers: {}, body: JSON.stringify([user, code]) }),
    verdict: (_, text) => text,
    async answer([user, code]) {
      const now = stepAt(Date.now() / 1000);
      const counted = wrong.get(user) ?? 0;
      const used = spent.has(`${user} ${code}`);
      if (late) await new Promise((resolve) => setTimeout(resolve, 5));
      if (counted >= lockAfter) return "locked";
      if (code !== codeOf(user, now)) {
        wrong.set(user, (wrong.get(user) ?? 0) + 1);
        return "wrong";
      }
      if (used) return "used";
      spent.add(`${user} ${code}`);
      return "good";
    },
  };
}

async function checked(service) {
  const { createServer } = await import("node:http");
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    response.end(await service.answer(JSON.parse(body)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const results = await check({ ...service, origin: `http://127.0.0.1:${server.address().port}` });
    return results.filter(({ failed }) => failed).map(({ name }) => name);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test("a service that decides and stores in one go passes every check", async () => {
  assert.deepEqual(await checked(careless({ late: false })), []);
});

test("a service that decides on what it read a moment ago fails both races, and only those", async () => {
  assert.deepEqual(await checked(careless({ late: true })), [
    "of 50 parallel guesses no more are looked at than the lock allows",
    "of 50 parallel uses of a code one is accepted",
  ]);
});

test("a service that never locks fails the lock too", async () => {
  const failed = await checked({ ...careless({ late: false, lockAfter: Infinity }), lockAfter: 5 });
  assert.deepEqual(failed, [
    "of 50 parallel guesses no more are looked at than the lock allows",
    "after 5 wrong codes a right one is refused",
  ]);
});

const line = (id, rates, more = {}) => ({
  id,
  name: id,
  checks: [],
  peak: 20e6,
  deployed: 1e6,
  started: 1,
  turns: Object.fromEntries([1, 16, 64].map((level) => [level, rates.map((rate) => ({ rate, p50: 1, p99: 30, cpu: 0.2, written: 9000, problem: null }))])),
  ...more,
});

test("a ratio is taken within a round, and an unsound turn is left out", () => {
  const [fast, slow] = [line("candado", [1000, 3000, 100]), line("fastapi", [10, 100, 50])];
  assert.deepEqual(ratio(fast, slow, 64), { median: 30, least: 2, most: 100 });
  fast.turns[64][0].problem = "3 right codes were refused";
  assert.deepEqual(ratio(fast, slow, 64), { median: 16, least: 2, most: 30 });
  assert.equal(figure(fast, 64, "rate"), 1550);
  assert.equal(ratio(line("a", []), slow, 64), null);
});

test("a goal that was missed or not measured is not met", () => {
  const said = goals([line("candado", [1000]), line("fastapi", [10]), line("candado-worker", [5])]);
  assert.deepEqual(said.map(({ holds }) => holds), [true, null, false, false, true, null]);
});

test("the tables name what failed and what was left out", () => {
  const failed = line("privacyidea", [5], { checks: [{ name: "one use", failed: "2 were accepted" }] });
  const text = tables({
    lines: [line("candado", [100]), failed, { id: "fastapi", name: "fastapi", missing: "redis-server is missing", checks: [], turns: {} }],
    growth: [],
    loads: ["0.1", "0.2"],
    rounds: 1,
    seconds: 1,
  });
  assert.match(text, /\| privacyidea \| one use: 2 were accepted \|/);
  assert.match(text, /- fastapi: left out: redis-server is missing/);
  assert.match(text, /20.0 times/);
});

test("numbers keep three digits", () => {
  assert.deepEqual([20123.4, 99.95, 1.234, 0.0581, 0, null].map(number), ["20,123", "100.0", "1.23", "0.058", "0.000", ""]);
});

test("a picture holds each value, and no markup of a name", () => {
  const svg = bars("Rates", [{ name: "a<b", value: 20000 }, { name: "c", value: 30 }]);
  assert.match(svg, /a&#60;b/);
  assert.match(svg, />20,000</);
  assert.match(curve("Cost", "ms", [[10_000, 0.1], [1_000_000, 0.2]]), /1,000,000/);
});
