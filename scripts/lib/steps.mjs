// Running other programs: one line per long step, its output in a log that is shown only on failure.
// Everything started here ends when the script ends.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { progressLine } from "./progress.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const logs = join(root, "target", "setup");
const running = new Set();
const endings = [];

/** A failure that is explained by its message alone. */
export class Problem extends Error {}

/** Runs a script's main function: problems become one line and exit code 1, signals end all children. */
export async function main(run) {
  let stopping = false;
  const stop = async (code) => {
    stopping = true;
    await endAll();
    process.exit(code);
  };
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
    process.once(signal, () => stop(code));
  }
  stopWithNpm(() => stop(143));
  try {
    process.exitCode = (await run()) ?? 0;
  } catch (error) {
    // Children that a signal ended are not a failure.
    if (stopping) return;
    console.error(error instanceof Problem ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
  await endAll();
}

/** npm does not pass on the signals it dies of, so what it started looks whether its parent is still there. */
function stopWithNpm(stop) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, 500);
  timer.unref();
}

/** Starts a program in a process group of its own, so that its own children can be ended with it. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: "ignore", detached: true, ...options });
  running.add(child);
  child.ended = new Promise((resolve) => {
    child.once("error", (error) => resolve({ error }));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  child.ended.then(() => running.delete(child));
  return child;
}

/** Has `end` run when the script ends, however that comes about. */
export function atEnd(end) {
  endings.push(end);
}

/** Ends everything that was started here; `main` does so by itself. */
export async function endAll() {
  const children = [...running];
  // First the program itself, so that it can end its own children in good order; then whatever is left of them.
  children.forEach((child) => kill(child.pid, "SIGTERM"));
  const ended = Promise.all(children.map((child) => child.ended));
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 3000).unref())]);
  children.forEach((child) => kill(-child.pid, "SIGKILL"));
  await Promise.all(endings.splice(0).map((end) => end()));
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Runs a program and answers its code and standard output; never throws. */
export async function capture(command, args, options = {}) {
  const child = start(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let stdout = "";
  child.stdout?.on("data", (data) => (stdout += data));
  child.stderr?.resume();
  const { code } = await child.ended;
  return { code, stdout: stdout.trim() };
}

/** Prints what a program prints and answers its code and what it wrote to standard output. */
export async function show(command, args, options = {}) {
  const child = start(command, args, { stdio: ["ignore", "pipe", "inherit"], ...options });
  let stdout = "";
  child.stdout?.on("data", (data) => {
    stdout += data;
    process.stdout.write(data);
  });
  const { code, error } = await child.ended;
  if (error) throw new Problem(`Cannot run ${command}: ${error.message}`);
  return { code, stdout };
}

// The line of the steps that run side by side, and what is to be said after it.
let shared;
const unsaid = [];

/** Prints a sentence, though not into the middle of a line. */
export function say(text) {
  if (shared) unsaid.push(text);
  else console.log(text);
}

/** Runs one step of the preparation and answers what it printed; throws a Problem that says what to do if it fails. */
export async function step(title, expected, command, args, { timeout, log = [command], ...options } = {}) {
  mkdirSync(logs, { recursive: true });
  const path = join(logs, `${log.join("-").replace(/[^\w.-]/g, "")}.log`);
  const file = createWriteStream(path);
  const line = shared ?? progressLine(`${title} (${expected}) … `);
  const child = start(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  for (const stream of [child.stdout, child.stderr]) {
    eachLine(stream, (text) => line.reads(text, title) || file.write(`${text}\n`));
  }
  const timer = timeout && setTimeout(() => kill(-child.pid, "SIGKILL"), timeout);
  const { code, error } = await child.ended;
  clearTimeout(timer);
  await new Promise((resolve) => file.end(resolve));
  if (line !== shared) line.end(code === 0);
  if (code === 0) return readFileSync(path, "utf8");
  throw new Problem(error ? `Cannot run ${command}: ${error.message}` : explain(title, path));
}

/**
 * Runs the steps of several jobs `{ title, seconds, run }` at the same time, under one line. All of them come to their
 * end, whatever fails.
 */
export async function sideBySide(jobs) {
  if (jobs.length < 2) return Promise.all(jobs.map(({ run }) => run()));
  console.log(`To do, side by side: ${jobs.map(({ title }) => title).join(", ")}.`);
  const seconds = jobs.reduce((sum, job) => sum + job.seconds, 0);
  shared = progressLine(`Installing and compiling (about ${seconds} s) … `);
  const results = await Promise.allSettled(jobs.map(({ run }) => run()));
  const failures = results.filter(({ status }) => status === "rejected");
  shared.end(failures.length === 0);
  shared = undefined;
  unsaid.splice(0).forEach(say);
  if (failures.length) throw failures[0].reason;
}

/** Calls `take` with each line, without colours. What is drawn over a line, after a carriage return, is another one. */
export function eachLine(stream, take) {
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (data) => {
    const lines = (rest + data).split(/\r\n|\r|\n/);
    rest = lines.pop();
    lines.forEach((line) => take(stripVTControlCharacters(line)));
  });
  stream?.on("end", () => rest && take(stripVTControlCharacters(rest)));
}

const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|could not resolve|temporary failure resolving|(failed to|couldn't|could not) connect|(connection|operation) timed out|timeout was reached|error sending request|network is unreachable|failed to download/i;

function explain(title, path) {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const where = relative(root, path);
  // Lines with a bar are source code in a compiler's message.
  const unreachable = lines.findLast((line) => UNREACHABLE.test(line) && !line.includes("|"));
  if (unreachable) {
    return `A download failed: ${unreachable.trim()}\nCheck the network (or the proxy settings) and run the same command again; what is finished is kept. Details: ${where}`;
  }
  return `${lines.slice(-60).join("\n")}\n\n${title}: failed. Details: ${where}`;
}
