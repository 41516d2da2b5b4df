// A client made as docs/guides/going-live.md says, so that what is tested against it holds for whoever follows the guide.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Problem, root } from "./steps.mjs";

/** Makes one at the service; answers its id, secret and settings as the service does. */
export async function guidedClient({ address, variables }) {
  const guide = readFileSync(join(root, "docs", "guides", "going-live.md"), "utf8");
  const body = guide.match(/\/admin\/clients \\$.*?-d '(\{.*?\})'\n```/ms)?.[1];
  if (!body || !JSON.parse(body).settings?.require_step_up) {
    throw new Problem("docs/guides/going-live.md no longer makes a client with require_step_up.");
  }
  return create({ address, variables }, body);
}

/** Makes a test client, for which nothing is sent. */
export const testClient = (service) => create(service, JSON.stringify({ name: "Shop, in tests", test: true }));

async function create({ address, variables }, body) {
  const headers = { Authorization: `Bearer ${variables.ADMIN_TOKEN}`, "Content-Type": "application/json" };
  const response = await fetch(`${address}/admin/clients`, { method: "POST", headers, body });
  if (!response.ok) throw new Problem(`${address}/admin/clients gives ${response.status}: ${await response.text()}`);
  return response.json();
}

/** What tests of an application are told: where the service is, and this client, which requires step-up. */
export async function serviceVariables(service) {
  const { client_id, client_secret, settings } = await guidedClient(service);
  return {
    CANDADO_URL: service.address,
    SANDBOX_URL: service.sandbox.url,
    CANDADO_ADMIN_TOKEN: service.variables.ADMIN_TOKEN,
    CANDADO_STEP_UP_CLIENT_ID: client_id,
    CANDADO_STEP_UP_CLIENT_SECRET: client_secret,
    CANDADO_STEP_UP_SMS_DOMAIN: settings.sms_domain,
  };
}
