// Where the native program's CPU goes during a turn: perf's samples, each put under the first heading it matches.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { candadoNative } from "../candado/native.mjs";
import { turn } from "./load.mjs";
import { capture, cargoProgress, Problem, root, runs, step } from "./repository.mjs";

const CONNECTIONS = 64;
const SECONDS = 6;

/** From the innermost frame outwards; what is the kernel's first, then what SQLite does, then our own. */
const HEADINGS = [
  ["waiting for the disk", /fsync|fdatasync|jbd2|submit_bio|blk_/],
  ["TCP in the kernel", /tcp_|inet_|sock|skb_|__sys_(send|recv)|ep_(poll|send)|epoll/],
  ["hand-offs between threads", /futex|schedule|try_to_wake|park|condvar/i],
  ["SQLite: parsing statements", /sqlite3RunParser|sqlite3Prepare|sqlite3LockAndPrepare|sqlite3Reprepare/],
  ["SQLite: log and pages", /wal[A-Z]|pager|pcache|unix(Read|Write|Lock|Shm|Unlock)|pwrite|pread|ext4/],
  ["SQLite: running statements", /sqlite3/],
  ["memory", /malloc|^free$|cfree|realloc|calloc|_int_free|__libc_free|mi_/],
  ["HMAC, AES and comparison", /sha1|sha2|hmac|aes|ghash|polyval|subtle|totp/i],
  ["tokens", /jwt_compact/],
  ["JSON", /serde/],
  ["log line", /native.*logging|write_all.*stderr|api.*finish/],
  ["HTTP", /hyper|axum|tower|httparse|\bhttp/],
  ["tokio", /tokio/],
  ["Candado's own code", /candado/],
];

/** Shares of CPU by heading, in order, and CPU for a verification, of each program: `[{name, cpu, shares}]`. */
export async function profile(programs) {
  if ((await capture("perf", ["--version"])).code !== 0) throw new Problem("perf is missing: `apt-get install linux-perf`");
  const found = [];
  for (const [name, program] of programs) found.push({ name, ...(await measure(name, program)) });
  return found;
}

/** The program with what a profile needs: symbols, and frames that can be followed. */
export async function profiledProgram() {
  const folder = join(root, "target", "profiled");
  const env = {
    ...process.env,
    ...cargoProgress,
    CARGO_TARGET_DIR: folder,
    CARGO_PROFILE_SERVER_STRIP: "none",
    CARGO_PROFILE_SERVER_DEBUG: "line-tables-only",
    RUSTFLAGS: "-C force-frame-pointers=yes",
    CFLAGS: "-fno-omit-frame-pointer",
  };
  const args = ["build", "--locked", "--profile", "server", "--bin", "candado"];
  await step("Compiling the native program for its profile", "several minutes the first time", "cargo", args, { env, log: ["cargo-build", "profiled"] });
  return join(folder, "server", "candado");
}

async function measure(name, program) {
  const folder = runs("data", "profile");
  rmSync(folder, { recursive: true, force: true });
  const running = { ...candadoNative, ...(await candadoNative.start(folder, program)) };
  const users = Array.from({ length: 2 * candadoNative.expected * SECONDS }, (_, index) => index);
  await running.enrol(users);
  const data = join(folder, "perf.data");
  let recorded;
  const begin = () => {
    const args = ["record", "--freq", 999, "--call-graph", "fp", "--output", data, "--pid", running.roots()[0], "sleep", SECONDS];
    recorded = capture("perf", args.map(String));
  };
  const figures = await turn(running, { connections: CONNECTIONS, seconds: SECONDS, users, begin });
  await recorded;
  await running.stop();
  console.log(`${name}: ${figures.rate.toFixed(0)} /s, CPU ${figures.cpu.toFixed(3)} ms${figures.problem ? `, ${figures.problem}` : ""}`);
  return { rate: figures.rate, cpu: figures.cpu, shares: await shares(data) };
}

async function shares(data) {
  const { stdout, code } = await capture("perf", ["script", "--input", data, "--fields", "ip,sym", "--no-demangle"]);
  if (code !== 0) throw new Problem("perf script failed.");
  const counts = new Map([...HEADINGS.map(([name]) => [name, 0]), ["other", 0]]);
  let samples = 0;
  for (const stack of stdout.split("\n\n")) {
    const frames = stack.split("\n").map((line) => line.trim().split(/\s+/, 2)[1]).filter(Boolean);
    if (!frames.length) continue;
    samples++;
    const name = heading(frames);
    counts.set(name, counts.get(name) + 1);
  }
  if (samples < 100) throw new Problem(`perf saw only ${samples} samples.`);
  return [...counts].map(([name, count]) => [name, count / samples]);
}

/** What the innermost frame that says anything is about. */
export function heading(frames) {
  for (const frame of frames) {
    const found = HEADINGS.find(([, pattern]) => pattern.test(frame));
    if (found) return found[0];
  }
  return "other";
}
