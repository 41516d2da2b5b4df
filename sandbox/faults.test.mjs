import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startSandbox } from "./server.mjs";
import { CREDENTIALS, sendMail, sendSms } from "./fixtures.mjs";

let sandbox;
before(async () => {
  sandbox = await startSandbox(CREDENTIALS);
});
after(() => sandbox.close());
beforeEach(async () => {
  await del("/messages");
  await del("/faults");
});

const queuedFaults = async () => (await fetch(`${sandbox.url}/faults`)).json();
const del = (path) => fetch(sandbox.url + path, { method: "DELETE" });
const addFault = (fault, type = "application/json") =>
  fetch(`${sandbox.url}/faults`, {
    method: "POST",
    headers: { "content-type": type },
    body: typeof fault === "string" ? fault : JSON.stringify(fault),
  });

test("a fault is met as often as was said, by its channel only", async () => {
  const fault = { channel: "sms", status: 429, headers: { "Retry-After": "2" }, body: "slow down", times: 2 };
  const created = await addFault(fault);
  assert.equal(created.status, 201);
  assert.deepEqual(await queuedFaults(), [{ delay_ms: 0, ...fault }]);

  assert.equal((await sendMail(sandbox.url)).status, 202);
  for (let count = 0; count < 2; count += 1) {
    const response = await sendSms(sandbox.url);
    assert.deepEqual([response.status, response.headers.get("retry-after"), await response.text()], [429, "2", "slow down"]);
  }
  assert.deepEqual(await queuedFaults(), []);
  assert.equal((await sendSms(sandbox.url)).status, 201);
  assert.deepEqual(sandbox.requests().map(({ status }) => status), [202, 429, 429, 201]);
  assert.equal(sandbox.messages({ channel: "sms" }).length, 1, "a request that met a fault sent nothing");
});

test("faults are met in the order they were made", async () => {
  await addFault({ channel: "email", status: 500 });
  await addFault({ channel: "email", status: 503 });
  assert.deepEqual([(await sendMail(sandbox.url)).status, (await sendMail(sandbox.url)).status], [500, 503]);
});

test("a fault without a body says what the provider says", async () => {
  await addFault({ channel: "sms", status: 429 });
  await addFault({ channel: "email", status: 503 });
  assert.equal((await (await sendSms(sandbox.url)).json()).code, 20429);
  assert.deepEqual((await (await sendMail(sandbox.url)).json()).errors, [{ message: "Internal Server Error", field: null, help: null }]);
});

test("a delay alone is an ordinary answer that comes late", async () => {
  await addFault({ channel: "sms", delay_ms: 150 });
  const start = performance.now();
  assert.equal((await sendSms(sandbox.url)).status, 201);
  assert.ok(performance.now() - start >= 140);
});

test("a client that gives up during a delay has caused a message all the same", async () => {
  await addFault({ channel: "sms", delay_ms: 60_000 });
  await assert.rejects(sendSms(sandbox.url, {}, { signal: AbortSignal.timeout(100) }), { name: "TimeoutError" });
  assert.equal(sandbox.messages().length, 1);
});

test("a reset closes the socket without an answer", async () => {
  await addFault({ channel: "sms", reset: true });
  await assert.rejects(sendSms(sandbox.url), (error) => error.cause?.code === "ECONNRESET" || error.cause?.code === "UND_ERR_SOCKET");
  assert.deepEqual(sandbox.requests().map(({ status }) => status), [null]);
  assert.deepEqual(sandbox.messages(), []);
});

test("a hang never answers", async () => {
  await addFault({ channel: "sms", hang: true });
  await assert.rejects(sendSms(sandbox.url, {}, { signal: AbortSignal.timeout(200) }), { name: "TimeoutError" });
  assert.deepEqual(sandbox.messages(), []);
});

test("a hanging request does not keep the sandbox open", async () => {
  const other = await startSandbox();
  await fetch(`${other.url}/faults`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"channel":"sms","hang":true}' });
  const hanging = assert.rejects(sendSms(other.url));
  while (other.requests().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await other.close();
  await hanging;
});

test("deleting the faults brings the ordinary answers back", async () => {
  await addFault({ channel: "sms", status: 500, times: 1000 });
  assert.equal((await del("/faults")).status, 204);
  assert.equal((await sendSms(sandbox.url)).status, 201);
});

const badFaults = [
  ["{", /not JSON/],
  [[], /JSON object/],
  [{ status: 500 }, /^channel: is required/],
  [{ channel: "fax", status: 500 }, /^channel: must be/],
  [{ channel: "sms" }, /one of status, delay_ms, reset or hang/],
  [{ channel: "sms", status: 42 }, /^status: /],
  [{ channel: "sms", status: "500" }, /^status: /],
  [{ channel: "sms", status: 500, headers: { "a b": "c" } }, /^headers: /],
  [{ channel: "sms", status: 500, headers: { a: "b\r\nc: d" } }, /^headers: /],
  [{ channel: "sms", status: 500, headers: { "retry-after": 2 } }, /^headers: /],
  [{ channel: "sms", status: 500, body: {} }, /^body: /],
  [{ channel: "sms", status: 500, times: 0 }, /^times: /],
  [{ channel: "sms", delay_ms: -1 }, /^delay_ms: /],
  [{ channel: "sms", status: 500, colour: "red" }, /^colour: unknown field/],
  [{ channel: "sms", status: 500, hang: true }, /exclude each other/],
  [{ channel: "sms", delay_ms: 5, body: "x" }, /need a status/],
];
for (const [fault, message] of badFaults) {
  test(`the fault ${JSON.stringify(fault)} is refused`, async () => {
    const response = await addFault(fault);
    assert.equal(response.status, 400);
    assert.match((await response.json()).error, message);
    assert.deepEqual(await queuedFaults(), []);
  });
}

test("a fault that is not sent as JSON is refused", async () => {
  assert.equal((await addFault({ channel: "sms", status: 500 }, "text/plain")).status, 415);
});
