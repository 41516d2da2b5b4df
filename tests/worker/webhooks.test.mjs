// Webhooks of the built Worker, at receivers over real sockets; npm's `standardwebhooks` says whether a message is one.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { sleep, startWorker, success } from "./harness.mjs";

let worker;
before(async () => {
  worker = await startWorker({ ENVIRONMENT: "development" });
});
after(() => worker?.close());

/** A receiver that answers as it is told, and keeps what came. */
async function receiver(t) {
  const messages = [];
  let answer = (response) => response.writeHead(204).end();
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    messages.push({ path: request.url, headers: request.headers, body });
    answer(response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://localhost:${server.address().port}/hook`;
  t.after(() => (server.closeAllConnections(), server.close()));
  return { url, messages, answers: (next) => (answer = next) };
}

async function eventually(what, holds) {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await sleep(50);
  }
  assert.fail(what);
}

/** A client that is told of everything. */
async function told(hook) {
  const client = await worker.newClient();
  const at = `/clients/${client.id}/webhook`;
  const { secret } = success(await worker.admin("PUT", at, { url: hook.url }));
  const deliveries = async () => success(await worker.admin("GET", `${at}/deliveries`)).deliveries;
  return { client, at, secret, deliveries };
}

test("ATK-105: an event arrives, signed as the standard's library verifies it, by both secrets while they change", async (t) => {
  const hook = await receiver(t);
  const { client, at, secret, deliveries } = await told(hook);
  success(await client.post("/mfa/register", { user_id: "ann", confirm: false }));
  await eventually("it arrives", () => hook.messages.length === 1);
  const [{ headers, body }] = hook.messages;
  const event = new Webhook(secret).verify(body, headers);
  assert.equal(event.type, "enrolled");
  assert.equal(event.data.user_id, "ann");
  assert.throws(() => new Webhook(secret).verify(`${body} `, headers));
  await eventually("it is noted", async () => (await deliveries())[0].state === "delivered");

  const next = success(await worker.admin("PUT", at, { url: hook.url })).secret;
  const tested = success(await worker.admin("POST", `${at}/test`));
  assert.equal(tested.state, "delivered");
  const sent = hook.messages.at(-1);
  for (const one of [secret, next]) assert.equal(new Webhook(one).verify(sent.body, sent.headers).type, "test");
});

test("ATK-105: a receiver that is slow, endless, fails or redirects keeps no login waiting, and is told later", async (t) => {
  const hook = await receiver(t);
  const { client, at, deliveries } = await told(hook);
  success(await client.post("/mfa/register", { user_id: "ann", confirm: false }));
  await eventually("it arrives", () => hook.messages.length === 1);
  const stalls = () => {};
  const drips = (response) => {
    response.writeHead(500);
    const drip = setInterval(() => response.write("."), 20);
    response.on("close", () => clearInterval(drip));
  };
  const elsewhere = (response) => response.writeHead(307, { location: `${hook.url}/elsewhere` }).end();
  for (const [answer, statuses] of [[stalls, [null]], [drips, [null, 500]], [elsewhere, [307, 500]], [(r) => r.writeHead(500).end(), [500]]]) {
    hook.answers(answer);
    const known = new Set((await deliveries()).map(({ id }) => id));
    const began = Date.now();
    success(await client.post("/mfa/register", { user_id: `u${Math.random()}`, confirm: false }));
    assert.ok(Date.now() - began < 2000, "the answer waits for nobody");
    // Of one second they are in no order, so it is the one that was not there.
    const one = async () => (await deliveries()).find(({ id }) => !known.has(id));
    await eventually("the try ends", async () => {
      await sleep(200);
      const { response_status: said, problem } = await one();
      return said !== null || problem !== null;
    });
    const last = await one();
    assert.equal(last.state, "pending");
    // The time may be up before its head is noted, or in its body. What stands here for the way out of workerd is Node's
    // own fetch, which has no answer to give where it does not follow, and that is 500.
    assert.ok(statuses.includes(last.response_status), `${last.response_status} ${last.problem} for ${statuses}`);
  }
  assert.ok(hook.messages.every(({ path }) => path === "/hook"), "no redirect is followed");

  // The isolate that tried ended before it noted anything: as if each were due, and nobody's.
  hook.answers((response) => response.writeHead(200).end("x".repeat(100_000)));
  await worker.sql("UPDATE webhook_deliveries SET next_at = 0, lease_until = 0 WHERE next_at IS NOT NULL");
  await worker.schedule();
  const all = await deliveries();
  assert.deepEqual(all.map(({ state }) => state), all.map(() => "delivered"));
  const ids = hook.messages.map(({ headers }) => headers["webhook-id"]);
  const again = success(await worker.admin("POST", `${at}/deliveries/${all[0].id}/redeliver`));
  assert.equal(again.state, "delivered");
  assert.ok(ids.includes(hook.messages.at(-1).headers["webhook-id"]));
});
