// npm run test:api: schemathesis sends the running service what docs/openapi.json allows and what it forbids,
// and holds every answer against it. A service of its own, on free ports, with a database of its own.
import { cached } from "./lib/cache.mjs";
import { demoClient, freshState } from "./lib/local.mjs";
import { pythonTools } from "./lib/python.mjs";
import { startService } from "./lib/service.mjs";
import { main, Problem, show } from "./lib/steps.mjs";

const version = "4.32.5";
const options = process.argv.slice(2);

await main(async () => {
  const schemathesis = await pythonTools(cached("tools", `schemathesis-${version}`), "schemathesis", [`schemathesis==${version}`]);
  const { address, variables } = await startService({ state: freshState("api-test") });
  const { access_token: token } = await post(`${address}/auth`, null, { client_id: demoClient.id, client_secret: demoClient.secret });
  const contact = { email: "ann@example.com", phone: "+34600111222" };
  for (const user_id of ["user123", "bob"]) {
    await post(`${address}/mfa/register`, token, { user_id, confirm: false, ...contact });
  }
  const pending = await post(`${address}/mfa/register`, token, { user_id: "pending" });

  const args = ["--config-file", "tests/schemathesis.toml", "run", "docs/openapi.json", "--url", address, "--checks", "all"];
  // A seed makes two runs alike, and the number of examples bounds the time: 2 to 3 minutes.
  if (!options.length) args.push("--max-examples", "60", "--seed", "1");
  const env = {
    ...process.env,
    ACCESS_TOKEN: token,
    ADMIN_TOKEN: variables.ADMIN_TOKEN,
    CLIENT_ID: demoClient.id,
    CLIENT_SECRET: demoClient.secret,
    QR_LINK: new URL(pending.qr_code_url).searchParams.get("t"),
  };
  const { code } = await show(schemathesis("schemathesis"), [...args, ...options], { env });
  return code;
});

async function post(url, token, body) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Problem(`${url} gives ${response.status}: ${text}`);
  return JSON.parse(text);
}
