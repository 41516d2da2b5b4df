// Starts the application. CANDADO_URL and the client's credentials say where its second step comes from.
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { Candado } from "candado";
import { createApp } from "./app.mjs";
import { Store } from "./store.mjs";

const {
  PORT = "3000",
  APP_URL = `http://localhost:${PORT}`,
  CANDADO_URL = "http://localhost:8787",
  CANDADO_CLIENT_ID = "app123",
  CANDADO_CLIENT_SECRET = "secret123",
  HOSTED = "",
  DATABASE = fileURLToPath(new URL("data/login-app.db", import.meta.url)),
} = process.env;

const store = new Store(DATABASE);
const candado = new Candado({ baseUrl: CANDADO_URL, clientId: CANDADO_CLIENT_ID, clientSecret: CANDADO_CLIENT_SECRET });
const app = createApp({ store, candado, appUrl: APP_URL, hosted: HOSTED && new URL(CANDADO_URL).origin });
const server = serve({ fetch: app.fetch, port: Number(PORT), hostname: process.env.HOST ?? "localhost" }, () =>
  console.log(`Login application  ${APP_URL}\nIts second step    ${CANDADO_URL}`),
);
server.on("error", ({ code }) => {
  console.error(`Port ${PORT} cannot be used (${code}). Choose another: PORT=${Number(PORT) + 1} npm start`);
  process.exit(1);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => {
    server.close();
    store.close();
    process.exit(0);
  });
}
