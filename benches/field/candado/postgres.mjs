// Candado's native program on a PostgreSQL of its own, on the same disk. Its accounts are filled into SQLite and copied.
import { join } from "node:path";
import { startPostgres } from "../harness/servers.mjs";
import { candadoNative, copy, serve } from "./native.mjs";

export const candadoOnPostgres = {
  ...candadoNative,
  id: "candado-postgres",
  name: "Candado, native, on PostgreSQL",
  expected: 4000,

  async start(folder) {
    const [file, server] = [await candadoNative.start(folder), await startPostgres(join(folder, "postgres"))];
    const url = `postgres://field@${encodeURIComponent(server.socket)}/postgres`;
    let program = file;
    const size = async () => Number(await server.query("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"));
    return {
      ...file,
      roots: () => [...program.roots(), server.pid],
      stored: async () => Number(await server.query("SELECT count(*) FROM audit_log WHERE event = 'verified'")),
      bytes: size,
      stop: () => program.stop(),
      async enrol(users) {
        await file.enrol(users);
        await file.stop();
        const seconds = await copy(file.file, url);
        console.log(`${users.length} accounts were copied in ${seconds} s`);
        // What a server that has run for a while has done.
        await server.query("VACUUM ANALYZE");
        await server.query("CHECKPOINT");
        program = await serve(folder, file.address, { ...file.variables, DATABASE_URL: url });
      },
    };
  },
};
