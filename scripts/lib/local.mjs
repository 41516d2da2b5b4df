// What only a run on this machine has: .dev.vars with random secrets, a local D1 and the demo client in it.
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environment, tool } from "./npm.mjs";
import { root, step } from "./steps.mjs";

/** The settings are for `npm run example`: its pages use passkeys, and in its other variant the hosted page. */
export const demoClient = { id: "app123", secret: "secret123", settings: { passkey_origins: ["http://localhost:3000"], return_urls: ["http://localhost:3000/mfa/done"] } };

/** For every run of wrangler: no look-ups on the network, no banner about updates. */
export const wranglerEnvironment = {
  ...environment,
  CI: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_METRICS: "false",
};

/** Writes .dev.vars if there is none and answers the variables in it. */
export function localVariables() {
  const path = join(root, ".dev.vars");
  if (!existsSync(path)) {
    const variables = Object.entries(freshVariables()).map(([name, value]) => `${name}="${value}"`);
    writeFileSync(path, `# Written by npm start; .dev.vars.example explains each variable.\n${variables.join("\n")}\n`, { mode: 0o600 });
  }
  const lines = readFileSync(path, "utf8").split("\n").map((line) => line.match(/^\s*(\w+)\s*=\s*(.*?)\s*$/));
  return Object.fromEntries(lines.filter(Boolean).map(([, name, value]) => [name, value.replace(/^(["'])(.*)\1$/, "$2")]));
}

/** An entry of MASTER_KEYS nobody else has. */
export const masterKey = (id) => `${id}:${randomBytes(32).toString("base64")}`;

/** Variables of a run on this machine, with secrets nobody else has. */
export function freshVariables() {
  return {
    ENVIRONMENT: "development",
    MASTER_KEYS: masterKey("k1"),
    ADMIN_TOKEN: randomBytes(36).toString("base64url"),
    SMS_COUNTRIES: "*",
    TWILIO_ACCOUNT_SID: `AC${randomBytes(16).toString("hex")}`,
    TWILIO_AUTH_TOKEN: randomBytes(16).toString("hex"),
    TWILIO_FROM: "+15005550006",
    SENDGRID_API_KEY: `SG.${randomBytes(32).toString("base64url")}`,
    SENDGRID_FROM: "mfa@example.com",
  };
}

/** Where `npm start` keeps D1 and KV: wrangler's own place. */
export const lastingState = join(root, ".wrangler", "state");

/** A folder for a D1 and a KV that begin empty. */
export function freshState(name) {
  const state = join(root, "target", name);
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true });
  return state;
}

/** Applies the migrations to the D1 in `state` and adds the demo client; does nothing if that was done. */
export async function prepareDatabase(state) {
  const folder = join(root, "migrations");
  const hash = createHash("sha256").update(insertDemoClient);
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  for (const name of files.sort()) hash.update(name).update(readFileSync(join(folder, name)));
  const wanted = hash.digest("hex");
  // Inside the state it describes: who deletes that deletes this too.
  const stamp = join(state, "migrated-to");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;

  const wrangler = (title, expected, name, ...args) =>
    step(title, expected, tool("wrangler"), ["d1", ...args, "--local", "--persist-to", state], { env: wranglerEnvironment, log: [name] });
  await wrangler("Applying the migrations to the local D1", "about 3 s", "migrations", "migrations", "apply", "DB");
  const insert = ["execute", "DB", "--yes", "--command", insertDemoClient];
  await wrangler(`Adding the demo client ${demoClient.id}`, "about 2 s", "demo-client", ...insert);
  writeFileSync(stamp, wanted);
}

const insertDemoClient = `
  INSERT INTO clients (client_id, name, secret_digest, settings, created_at)
  VALUES ('${demoClient.id}', 'Demo', '${secretDigest(demoClient)}', '${JSON.stringify(demoClient.settings)}', unixepoch())
  ON CONFLICT DO NOTHING`;

/** As the service digests client secrets: SHA-256 over texts that are each preceded by their length. */
function secretDigest({ id, secret }) {
  const hash = createHash("sha256");
  for (const text of ["candado/client-secret/v1", id, secret]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    hash.update(length).update(text);
  }
  return hash.digest("hex");
}
