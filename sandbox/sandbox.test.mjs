import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startSandbox } from "./server.mjs";
import { CREDENTIALS, SMS, sendMail, sendSms } from "./fixtures.mjs";

let sandbox;
before(async () => {
  sandbox = await startSandbox(CREDENTIALS);
});
after(() => sandbox.close());
beforeEach(() => del("/messages"));

const get = async (path) => (await fetch(sandbox.url + path)).json();
const del = (path) => fetch(sandbox.url + path, { method: "DELETE" });

test("messages are listed newest last and narrowed by channel and recipient", async () => {
  await sendSms(sandbox.url);
  await sendMail(sandbox.url);
  await sendSms(sandbox.url, { To: "+34600999888" });
  const recipients = async (query) => (await get(`/messages${query}`)).map(({ to }) => to);

  assert.deepEqual(await recipients(""), [SMS.To, "ana@example.com", "+34600999888"]);
  assert.deepEqual(await recipients("?channel=sms"), [SMS.To, "+34600999888"]);
  assert.deepEqual(await recipients("?channel=email"), ["ana@example.com"]);
  assert.deepEqual(await recipients("?to=ana%40example.com"), ["ana@example.com"]);
  assert.deepEqual(await recipients("?to=%2B34600999888"), ["+34600999888"]);
  assert.deepEqual(await recipients("?to=+34600999888"), ["+34600999888"], "an unencoded plus means a plus");
  assert.deepEqual(await recipients("?channel=email&to=%2B34600999888"), []);
  assert.deepEqual(Object.keys((await get("/messages"))[0]).sort(), ["channel", "from", "html", "id", "received_at", "subject", "text", "to"]);
  assert.deepEqual(sandbox.messages({ channel: "email" }), await get("/messages?channel=email"));
});

test("every provider request is recorded as it came, refused ones too", async () => {
  await sendSms(sandbox.url, { To: "nobody" });
  await sendMail(sandbox.url);
  const [sms, mail] = await get("/requests");
  assert.deepEqual([sms.channel, sms.method, sms.status], ["sms", "POST", 400]);
  assert.match(sms.path, /^\/2010-04-01\/Accounts\/AC[0-9a-f]{32}\/Messages\.json$/);
  assert.equal(sms.headers["content-type"], "application/x-www-form-urlencoded");
  assert.equal(new URLSearchParams(sms.body).get("To"), "nobody");
  assert.deepEqual([mail.channel, mail.path, mail.status], ["email", "/v3/mail/send", 202]);
  assert.equal(JSON.parse(mail.body).subject, "Your code");
  assert.deepEqual(sandbox.requests(), [sms, mail]);
});

test("deleting the messages forgets the requests too", async () => {
  await sendSms(sandbox.url);
  assert.equal((await del("/messages")).status, 204);
  assert.deepEqual([await get("/messages"), await get("/requests")], [[], []]);
});

test("only the last 1000 messages are kept", async () => {
  const personalizations = (from) => [{ to: Array.from({ length: 600 }, (_, index) => ({ email: `user${from + index}@example.com` })) }];
  await sendMail(sandbox.url, { personalizations: personalizations(0) });
  await sendMail(sandbox.url, { personalizations: personalizations(600) });
  const messages = await get("/messages");
  assert.equal(messages.length, 1000);
  assert.equal(messages[0].to, "user200@example.com");
});

test("a body over 1 MiB is refused by each in its own words", async () => {
  const body = "a".repeat(1024 * 1024 + 1);
  const [sms, mail, faults] = await Promise.all([sendSms(sandbox.url, {}, { body }), sendMail(sandbox.url, {}, { body }), fetch(`${sandbox.url}/faults`, { method: "POST", body })]);
  assert.deepEqual([sms.status, mail.status, faults.status], [413, 413, 413]);
  assert.equal((await sms.json()).status, 413);
  assert.equal((await mail.json()).errors[0].message, "Payload Too Large");
  assert.match((await faults.json()).error, /larger/);
});

test("an unknown route is 404, a wrong method 405, both in JSON", async () => {
  const unknown = await fetch(`${sandbox.url}/nothing`);
  assert.deepEqual([unknown.status, await unknown.json()], [404, { error: "nothing at /nothing" }]);
  const wrong = await fetch(`${sandbox.url}/messages`, { method: "PUT" });
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET, DELETE"]);
});

test("a request for another host's name is refused", async () => {
  const { port } = new URL(sandbox.url);
  const call = request({ host: "127.0.0.1", port, path: "/messages", headers: { host: "evil.example" } }).end();
  const [response] = await once(call, "response");
  response.resume();
  assert.equal(response.statusCode, 403);
});

test("both loopback addresses lead to the same sandbox", async () => {
  const { port } = new URL(sandbox.url);
  await sendSms(`http://127.0.0.1:${port}`);
  try {
    assert.equal((await (await fetch(`http://[::1]:${port}/messages`)).json()).length, 1);
  } catch (error) {
    assert.match(error.cause?.code ?? "", /EADDRNOTAVAIL|EAFNOSUPPORT/, "a machine without IPv6");
  }
});

test("started as a program it prints its address and takes its credentials from the environment", async () => {
  const program = spawn(process.execPath, [fileURLToPath(new URL("server.mjs", import.meta.url))], {
    env: {
      SANDBOX_PORT: "0",
      TWILIO_ACCOUNT_SID: CREDENTIALS.twilioAccountSid,
      TWILIO_AUTH_TOKEN: CREDENTIALS.twilioAuthToken,
      SENDGRID_API_KEY: CREDENTIALS.sendgridApiKey,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = await once(program.stdout.setEncoding("utf8"), "data");
    const url = /^sandbox listening on (http:\/\/localhost:\d+)\n$/.exec(line)[1];
    assert.equal((await sendSms(url)).status, 201);
    assert.equal((await sendMail(url)).status, 202);
    assert.equal((await sendMail(url, {}, { authorization: "Bearer SG.another.key" })).status, 401);
  } finally {
    program.kill();
    await once(program, "exit");
  }
});

test("a port that is taken is an error", async () => {
  await assert.rejects(startSandbox({ port: Number(new URL(sandbox.url).port) }), { code: "EADDRINUSE" });
});
