// npm run test:api: schemathesis sends the running service what docs/openapi.json allows and what it forbids,
// and holds every answer against it. A service of its own, on free ports, with a database of its own.
import { cached } from "./cache.mjs";
import { pythonTools } from "./python.mjs";
import { ownService, post } from "./service.mjs";
import { main, show } from "./steps.mjs";

const version = "4.32.5";
const options = process.argv.slice(2);

await main(async () => {
  const schemathesis = await pythonTools(cached("tools", `schemathesis-${version}`), "schemathesis", [`schemathesis==${version}`]);
  const { address, variables } = await ownService("api-test");
  const client = await post(`${address}/admin/clients`, variables.ADMIN_TOKEN, { name: "Test", client_id: "app123" });
  const token = (await post(`${address}/auth`, null, { client_id: client.client_id, client_secret: client.client_secret })).access_token;
  const contact = { email: "ann@example.com", phone: "+34600111222" };
  for (const user_id of ["user123", "bob"]) {
    await post(`${address}/mfa/register`, token, { user_id, confirm: false, ...contact });
  }
  const pending = await post(`${address}/mfa/register`, token, { user_id: "pending" });

  const args = ["--config-file", "tests/schemathesis.toml", "run", "docs/openapi.json", "--url", address, "--checks", "all"];
  // A seed makes two runs alike, and the number of examples bounds the time: 2 to 3 minutes.
  if (!options.length) args.push("--max-examples", "100", "--seed", "1");
  const env = {
    ...process.env,
    ACCESS_TOKEN: token,
    ADMIN_TOKEN: variables.ADMIN_TOKEN,
    CLIENT_ID: client.client_id,
    CLIENT_SECRET: client.client_secret,
    QR_LINK: new URL(pending.qr_code_url).searchParams.get("t"),
  };
  const { code } = await show(schemathesis("schemathesis"), [...args, ...options], { env });
  return code;
});
