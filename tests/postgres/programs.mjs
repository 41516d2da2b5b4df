// Several native programs on one database, asked in turn as a balancer would.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshVariables } from "../../scripts/lib/local.mjs";
import { besideSandbox } from "../../scripts/lib/service.mjs";
import { eachLine, start } from "../../scripts/lib/steps.mjs";
import { Service } from "../worker/service.mjs";

/** `count` programs whose database `database` says, as variables. */
export async function startPrograms(count, database = {}) {
  const folder = mkdtempSync(join(tmpdir(), "candado-programs-"));
  const { sandbox, variables } = await besideSandbox(freshVariables(), { address: "http://localhost:8787" });
  const programs = new Programs(sandbox, { ...variables, SMS_COUNTRIES: "ES,US", LISTEN: "127.0.0.1:0", ...database }, folder);
  for (let index = 0; index < count; index += 1) await programs.start(index);
  return programs;
}

class Programs extends Service {
  lastsAtMost = 500;
  #programs = [];
  #turn = 0;
  #folder;
  #held = Promise.resolve();

  constructor(sandbox, variables, folder) {
    super(sandbox, variables);
    this.#folder = folder;
  }

  async start(index) {
    const env = { PATH: process.env.PATH, ...this.variables };
    const child = start(process.env.CANDADO_PROGRAM, [], { cwd: this.#folder, env, stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    const address = await new Promise((resolve, reject) => {
      eachLine(child.stderr, (line) => {
        log += `${line}\n`;
        const port = line.match(/listens on http:\/\/127\.0\.0\.1:(\d+)/)?.[1];
        if (port) resolve(`http://localhost:${port}`);
      });
      child.ended.then(() => reject(new Error(log)));
    });
    this.#programs[index] = { child, address, log: () => log };
  }

  /** Each request goes to the next program; one that takes no connections has not got it. */
  async request(...request) {
    await this.#held;
    let failure;
    for (let tries = 0; tries < this.#programs.length; tries += 1) {
      this.#turn = (this.#turn + 1) % this.#programs.length;
      this.url = this.#programs[this.#turn].address;
      try {
        return await super.request(...request);
      } catch (error) {
        failure = error;
        if (!isRefused(error.cause)) break;
      }
    }
    throw failure;
  }

  /** No request is begun until `run` is done; those under way go on. */
  async hold(run) {
    let release;
    this.#held = new Promise((resolve) => (release = resolve));
    try {
      return await run();
    } finally {
      release();
    }
  }

  /** Ends a program as a failing machine does, and starts another one. */
  async killOne() {
    const index = this.#programs.length - 1;
    const { child } = this.#programs[index];
    const another = async () => {
      child.kill("SIGKILL");
      await child.ended;
      await this.start(index);
    };
    // A single one leaves nobody to ask.
    await (index === 0 ? this.hold(another) : another());
  }

  logs() {
    return this.#programs.map(({ log }) => log());
  }

  async close() {
    for (const { child } of this.#programs) child.kill("SIGKILL");
    await Promise.all(this.#programs.map(({ child }) => child.ended));
    await this.sandbox.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const isRefused = (cause) => cause?.code === "ECONNREFUSED" || cause?.errors?.some(({ code }) => code === "ECONNREFUSED");
