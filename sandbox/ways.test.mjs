// The other ways to a phone number: WhatsApp, a call, and a gateway of one's own.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { findCode } from "./code.mjs";
import { CREDENTIALS, HOOK_SECRET, makeCall, sendSms } from "./fixtures.mjs";
import { startSandbox } from "./server.mjs";

const TEMPLATE = `HX${"0d".repeat(16)}`;
const whatsapp = { To: "whatsapp:+34600111222", From: "whatsapp:+15017122661", Body: undefined, ContentSid: TEMPLATE, ContentVariables: '{"1":"042917"}' };
const call = {
  To: "+34600111222",
  From: "+15017122661",
  Twiml: '<Response><Say language="en-US">Your Tom &amp; Co code is:</Say><Say>0</Say><Pause length="1"/><Say>4</Say><Say>2</Say><Say>9</Say><Say>1</Say><Say>7</Say><Say>Once more:</Say></Response>',
};

let sandbox;
before(async () => {
  sandbox = await startSandbox(CREDENTIALS);
});
after(() => sandbox.close());
beforeEach(() => fetch(`${sandbox.url}/messages`, { method: "DELETE" }));

test("a template by WhatsApp is kept with its code, under the plain number", async () => {
  assert.equal((await sendSms(sandbox.url, whatsapp)).status, 201);
  const [message] = sandbox.messages();
  assert.deepEqual([message.channel, message.to, findCode(message)], ["sms", "+34600111222", "042917"]);
});

for (const [fault, fields, code] of [
  ["a sender that is none of WhatsApp's", { From: "+15017122661" }, 63007],
  ["a template's id that is none", { ContentSid: "HX" }, 21656],
  ["variables that are no JSON", { ContentVariables: "042917" }, 21656],
  ["a number that is none", { To: "whatsapp:600" }, 21211],
]) {
  test(`${fault} is refused with ${code}`, async () => {
    const response = await sendSms(sandbox.url, { ...whatsapp, ...fields });
    assert.deepEqual([response.status, (await response.json()).code], [400, code]);
    assert.deepEqual(sandbox.messages(), []);
  });
}

test("a call is kept as what it says, its digits as one number", async () => {
  const response = await makeCall(sandbox.url, call);
  assert.equal(response.status, 201);
  assert.match((await response.json()).sid, /^CA[0-9a-f]{32}$/);
  const [message] = sandbox.messages();
  assert.equal(message.text, "Call: Your Tom & Co code is: 042917 Once more:");
  assert.equal(findCode(message), "042917");
});

test("a call without anything to say, or a number, is refused", async () => {
  for (const [name, code] of [["Twiml", 21205], ["To", 21201], ["From", 21213]]) {
    const { [name]: _, ...rest } = call;
    const response = await makeCall(sandbox.url, rest);
    assert.deepEqual([response.status, (await response.json()).code], [400, code]);
  }
});

function hooked(body, { id = "msg_1", at = Math.floor(Date.now() / 1000), secret = HOOK_SECRET } = {}) {
  const text = JSON.stringify(body);
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${at}.${text}`).digest("base64");
  const headers = { "content-type": "application/json", "webhook-id": id, "webhook-timestamp": String(at), "webhook-signature": `v1,${signature}` };
  return fetch(`${sandbox.url}/hook`, { method: "POST", headers, body: text });
}
const mail = { channel: "email", destination: "ana@example.com", sender: "Demo", subject: "Your code", text: "042917", html: "<p>042917</p>" };

test("what a gateway gets is kept on its channel, if it is signed", async () => {
  assert.equal((await hooked(mail)).status, 202);
  const [{ received_at, ...message }] = sandbox.messages();
  assert.deepEqual(message, { id: "msg_1", channel: "email", to: "ana@example.com", from: "Demo", subject: "Your code", text: "042917", html: "<p>042917</p>" });
  for (const wrong of [{ secret: `whsec_${Buffer.alloc(24).toString("base64")}` }, { at: 1_000 }, { at: "soon" }]) {
    assert.equal((await hooked(mail, wrong)).status, 401);
  }
  assert.equal(sandbox.messages().length, 1);
});

test("a fault of a channel meets whoever carries it", async () => {
  const fault = { channel: "email", status: 503 };
  await fetch(`${sandbox.url}/faults`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(fault) });
  assert.equal((await hooked(mail)).status, 503);
  assert.equal((await hooked(mail)).status, 202);
});
