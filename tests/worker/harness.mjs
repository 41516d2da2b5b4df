// The built Worker under workerd, with D1 and KV beside it, and a sandbox in the place of Twilio and SendGrid.
// The clock is the real one; what needs another is tested natively (tests/api).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";
import { freshVariables } from "../../scripts/lib/local.mjs";
import { besideSandbox } from "../../scripts/lib/service.mjs";
import { Service } from "./service.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export { masterKey } from "../../scripts/lib/local.mjs";
export { failure, parallel, sleep, success, tally } from "./service.mjs";

/** The service with everything around it. `variables` change or, when empty, take away what it is configured with. */
export async function startWorker(variables = {}) {
  const surroundings = await besideSandbox(freshVariables(), { address: "https://mfa.example.com" });
  const worker = new Worker(surroundings.sandbox, {
    ...Object.fromEntries(variableNames().map((name) => [name, ""])),
    ...surroundings.variables,
    SMS_COUNTRIES: "ES,US",
    ...variables,
  });
  await worker.listen();
  return worker;
}

/** Every variable the service reads: one that is not given here would come from the developer's .dev.vars. */
function variableNames() {
  const source = ["config.rs", "config/providers.rs"].map((file) => readFileSync(join(root, "src", file), "utf8")).join("");
  return [...new Set([...source.matchAll(/"([A-Z]+(?:_[A-Z]+)*)"/g)].map(([, name]) => name))];
}

class Worker extends Service {
  #server;

  constructor(sandbox, variables) {
    super(sandbox, variables);
    this.#server = createTestHarness(this.#options());
  }

  #options() {
    const input = { configPath: "wrangler.toml", prebuiltWorkerDir: "dist", secrets: this.variables };
    return { root, workers: [input] };
  }

  async listen() {
    const { url } = await this.#server.listen();
    this.url = url.origin;
    await this.#server.getWorker().applyD1Migrations("DB");
    this.env = await this.#server.getWorker().getEnv();
  }

  /** A new isolate, as after a deployment: nothing in memory is kept, everything in D1 and KV is. */
  async restart(variables = {}) {
    this.variables = { ...this.variables, ...variables };
    await this.#server.update(this.#options());
    await this.listen();
  }

  /** What `run` does happens under other variables. */
  async configured(variables, run) {
    const former = Object.fromEntries(Object.keys(variables).map((name) => [name, this.variables[name]]));
    await this.restart(variables);
    try {
      await run();
    } finally {
      await this.restart(former);
    }
  }

  async close() {
    await this.#server.close();
    await this.sandbox.close();
  }

  /** Runs the scheduled job. */
  schedule() {
    return this.#server.getWorker().scheduled({ cron: "*/10 * * * *", scheduledTime: new Date() });
  }

  logs() {
    return this.#server.getLogs().map(({ message }) => message);
  }

  async sql(text, ...params) {
    const run = () => this.env.DB.prepare(text).bind(...params).all();
    // A connection to the local runtime that lay idle may be closed just when it is used.
    return (await run().catch((error) => (error.cause?.code === "UND_ERR_SOCKET" ? run() : Promise.reject(error)))).results;
  }

  /** Every row of every table, by table. */
  async dumpDatabase() {
    const tables = await this.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'");
    const rows = tables.map(async ({ name }) => [name, await this.sql(`SELECT * FROM "${name}"`)]);
    return Object.fromEntries(await Promise.all(rows));
  }

  /** Every entry of KV: `{name, expiration, value}`. */
  async dumpKeyValue() {
    const { keys, list_complete: complete } = await this.env.KV.list();
    assert.ok(complete, "more keys than one page");
    return Promise.all(keys.map(async (key) => ({ ...key, value: await this.env.KV.get(key.name) })));
  }
}
