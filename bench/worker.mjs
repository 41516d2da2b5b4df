// The CPU of workerd for the most expensive requests to the built Worker, against the 10 ms a request has on the
// free plan. Process CPU over many requests: D1, KV and HTTP run in the same process here and are counted in, so
// each number is more than Cloudflare would count. Linux only.
import { readdirSync, readFileSync } from "node:fs";
import { startWorker, success } from "../tests/worker/harness.mjs";

const RUNS = Number(process.env.BENCH_RUNS ?? 200);
const BODY_LIMIT = 16 * 1024;
/** USER_HZ, which is 100 on every Linux that has workerd. */
const TICK = 10;

const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

/** The fields of /proc/<pid>/stat after the program's name, which may hold spaces. */
const stat = (pid) => read(`/proc/${pid}/stat`).replace(/^.*\) /s, "").split(" ");

function processes() {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parent = Object.fromEntries(pids.map((pid) => [pid, stat(pid)[1]]));
  const ours = (pid) => pid !== undefined && (pid === String(process.pid) || ours(parent[pid]));
  return pids.filter((pid) => read(`/proc/${pid}/comm`).trim() === "workerd" && ours(pid));
}

/** Milliseconds of CPU of every workerd started from here. */
const cpu = (pids) => pids.reduce((sum, pid) => sum + (Number(stat(pid)[11]) + Number(stat(pid)[12])) * TICK, 0);

async function measure(pids, run) {
  const began = cpu(pids);
  for (let n = 0; n < RUNS; n++) await run(n);
  return (cpu(pids) - began) / RUNS;
}

const full = (body) => JSON.stringify(body).padEnd(BODY_LIMIT, " ");

const worker = await startWorker();
try {
  const shop = await worker.newClient();
  const user = "ann";
  await shop.newUser(user, { phone: "+34600111222", email: "ann@example.com", algorithm: "SHA512" });
  success(await shop.recoveryCodes(user));
  const renewed = success(await shop.renew(user));
  success(await shop.sms(user));
  success(await shop.email(user));
  success(await shop.generate(user));
  // So that the fourth code needs no minute of waiting.
  await worker.sql("UPDATE accounts SET state = json_set(state, '$.sends.sms', json('[]'))");
  success(await shop.recovery(user, "sms"));
  const [{ state, version }] = await worker.sql("SELECT state, version FROM accounts");
  const restore = () => worker.sql("UPDATE accounts SET state = ?, version = ?", state, version);

  const pids = processes();
  if (pids.length === 0) throw new Error("no workerd is running below this process");
  const post = (path, body) => () => worker.request("POST", path, { token: shop.token, body });
  const picture = new URL(renewed.qr_code_url);
  const cases = [
    ["verify, six digits, wrong, body of 16 KiB", post("/mfa/verify", full({ user_id: user, code: "000000" })), 400],
    ["verify, eight digits, wrong, body of 16 KiB", post("/mfa/verify", full({ user_id: user, code: "00000000" })), 400],
    ["verify, recovery code, wrong, body of 16 KiB", post("/mfa/verify", full({ user_id: user, code: "0".repeat(24) })), 400],
    ["ten recovery codes, body of 16 KiB", post("/mfa/recovery-codes", full({ user_id: user })), 200],
    ["renew, body of 16 KiB", post("/mfa/renew", full({ user_id: user })), 200],
    ["QR code as PNG", () => worker.request("GET", picture.pathname + picture.search), 200],
    ["status", () => shop.status(user), 200],
  ];
  const nothing = () => worker.request("GET", "/nothing");
  for (const run of [nothing, ...cases.map(([, run]) => run)]) {
    for (let n = 0; n < 30; n++) await restore().then(run);
  }
  const restoring = await measure(pids, restore);
  const empty = await measure(pids, nothing);
  console.log(`${RUNS} requests each; CPU of workerd per request, D1, KV and HTTP included`);
  console.log(`${"a path that does not exist".padEnd(48)} ${empty.toFixed(2).padStart(6)} ms`);
  for (const [name, run, wanted] of cases) {
    const spent = await measure(pids, async () => {
      await restore();
      const { status, text } = await run();
      if (status !== wanted) throw new Error(`${name}: ${status} ${text}`);
    });
    const [all, own] = [spent - restoring, spent - restoring - empty].map((ms) => `${ms.toFixed(2).padStart(6)} ms`);
    console.log(`${name.padEnd(48)} ${all}, ${own} beyond that`);
  }
} finally {
  await worker.close();
}
