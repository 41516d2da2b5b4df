// Programs as a machine runs them: behind a proxy, on one PostgreSQL. All of them end with the test.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { masterKey } from "../../scripts/lib/local.mjs";
import { freePort } from "../../scripts/lib/service.mjs";
import { atEnd, eachLine, start } from "../../scripts/lib/steps.mjs";

export const host = "mfa.example.com";

/** A folder that goes with the test. */
export function folder(name) {
  const path = mkdtempSync(join(tmpdir(), `candado-${name}-`));
  atEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** What two programs have in common. */
export const variables = (database, more = {}) => ({
  PUBLIC_URL: `https://${host}`,
  BEHIND_TLS_PROXY: "true",
  MASTER_KEYS: masterKey("k1"),
  ADMIN_TOKEN: randomBytes(36).toString("base64url"),
  DATABASE_URL: database,
  LOG_FORMAT: "json",
  ...more,
});

/** One program, serving. */
export async function startProgram(env, port) {
  const metrics = await freePort();
  const child = start(process.env.CANDADO_PROGRAM, [], {
    cwd: folder("program"),
    env: { ...env, LISTEN: `127.0.0.1:${port}`, METRICS_LISTEN: `127.0.0.1:${metrics}` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const log = [];
  await new Promise((resolve, reject) => {
    eachLine(child.stderr, (line) => {
      log.push(JSON.parse(line));
      if (line.includes("listens on")) resolve();
    });
    child.ended.then(() => reject(new Error(JSON.stringify(log))));
  });
  return { child, port, metrics, log };
}

/** Runs a program until `ready` is true. */
export async function startProxy(command, args, options, ready) {
  const child = start(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of ["stdout", "stderr"]) eachLine(child[stream], (line) => (said += `${line}\n`));
  let ended = false;
  child.ended.then(() => (ended = true));
  for (let tries = 0; tries < 200; tries += 1) {
    if (ended) throw new Error(`${command} ended:\n${said}`);
    if (await ready().catch(() => false)) return child;
    await sleep(50);
  }
  throw new Error(`${command} does not answer:\n${said}`);
}

/** One request through a proxy, as an application makes it: status, headers and text. */
export function ask({ port, ca, agent }, method, path, { body, headers = {} } = {}) {
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const all = { ...(text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }), ...headers };
  return send(request, { host: "127.0.0.1", servername: host, port, ca, agent, method, path, headers: { host, ...all } }, text);
}

/** One request without TLS. */
export const askPlain = (port, path, headers = {}) => send(plainRequest, { host: "127.0.0.1", port, path, headers }, undefined);

function send(request, options, body) {
  return new Promise((resolve, reject) => {
    const sent = request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
      answer.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
