// Candado's native program: SQLite on the disk, as the service itself sets it.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { capture, cargoProgress, Problem, root, start, step } from "../harness/repository.mjs";
import { answers, freePort, openLog } from "../harness/servers.mjs";
import { size } from "../harness/sizes.mjs";
import { CLIENT, clientOf, freshVariables, verification } from "./client.mjs";

const target = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "server");
const program = join(target, "candado");
const fill = join(target, "examples", "field_fill");

export const candadoNative = {
  id: "candado",
  name: "Candado, native",
  lockAfter: 5,
  expected: 20_000,

  async prepare() {
    const args = ["build", "--locked", "--profile", "server", "--bin", "candado", "--example", "field_fill"];
    const options = { log: ["cargo-build", "server"], env: { ...process.env, ...cargoProgress } };
    await step("Compiling the native program", "several minutes the first time", "cargo", args, options);
  },

  async versions() {
    const { stdout } = await capture("rustc", ["--version"]);
    return `${(await capture(program, ["--version"])).stdout}, rustc ${stdout.split(" ")[1]}`;
  },

  deployed: async () => size(program),

  async start(folder, binary = program) {
    mkdirSync(folder, { recursive: true });
    const database = join(folder, "candado.sqlite");
    const address = `127.0.0.1:${await freePort()}`;
    const variables = freshVariables();
    const server = await serve(folder, address, { ...variables, DATABASE: database }, binary);
    const client = await clientOf(server.origin, variables.ADMIN_TOKEN);
    return {
      ...server,
      ...verification(client),
      address,
      variables,
      file: database,
      stored: async () => verified(database),
      bytes: async () => statSync(database).size,
      async enrol(users) {
        for (const [from, count] of runsOf(users)) {
          const args = [database, CLIENT, from, count].map(String);
          const { code } = await capture(fill, args, { env: { MASTER_KEYS: variables.MASTER_KEYS } });
          if (code !== 0) throw new Problem(`field_fill ${args.join(" ")} failed.`);
        }
      },
    };
  },
};

/** The program, serving at that address. */
export async function serve(folder, address, variables, binary = program) {
  const origin = `http://${address}`;
  const log = openLog(folder, "candado");
  const env = { ...variables, PUBLIC_URL: origin, LISTEN: address };
  const server = start(binary, [], { cwd: folder, env, stdio: ["ignore", log, log] });
  await answers(`${origin}/health`);
  return {
    origin,
    roots: () => [server.pid],
    async stop() {
      server.kill();
      await server.ended;
    },
  };
}

/** Copies everything into an empty database; the seconds that took. */
export async function copy(from, to) {
  const { code, stdout } = await capture(program, ["copy", "--json"], { env: { COPY_FROM: from, COPY_TO: to } });
  if (code !== 0) throw new Problem("candado copy failed.");
  return JSON.parse(stdout.split("\n").at(-1)).seconds;
}

/** Read beside the running program. */
function verified(database) {
  const connection = new DatabaseSync(database, { readOnly: true });
  try {
    return connection.prepare("SELECT count(*) AS count FROM audit_log WHERE event = 'verified'").get().count;
  } finally {
    connection.close();
  }
}

/** Numbers that follow each other, as `[first, how many]`. */
function runsOf(numbers) {
  const runs = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && last[0] + last[1] === number) last[1]++;
    else runs.push([number, 1]);
  }
  return runs;
}
