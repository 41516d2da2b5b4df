// What goes to Twilio and SendGrid: what their own libraries send; and what comes of it when they fail (ATK-79).
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import sendgridMail from "@sendgrid/mail";
import twilio from "twilio";
import { findCode } from "../../sandbox/code.mjs";
import { failure, parallel, startWorker, success } from "./harness.mjs";

const SERVICE = "MG0123456789abcdef0123456789abcdef";

let worker, shop, evil;
before(async () => {
  worker = await startWorker();
  shop = await worker.newClient({ sms_per_prefix_and_hour: 1000 }, "Tienda & Café");
  evil = await startEvil();
});
after(async () => {
  await worker?.close();
  evil?.server.close();
});

/** Where a provider's redirect leads. Whoever comes is counted. */
async function startEvil() {
  const place = { visits: 0 };
  place.server = createServer((_, response) => {
    place.visits += 1;
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(place.server, "listening");
  place.url = `http://127.0.0.1:${place.server.address().port}/`;
  return place;
}

const twilioClient = () => {
  const client = twilio(worker.variables.TWILIO_ACCOUNT_SID, worker.variables.TWILIO_AUTH_TOKEN);
  client.api.baseUrl = worker.sandbox.url;
  return client;
};

/** The request as Twilio reads it: fields whatever their order. */
function smsRequest({ method, path, headers, body }) {
  const [type] = headers["content-type"].split(";");
  const fields = Object.fromEntries(new URLSearchParams(body));
  return { method, path, authorization: headers.authorization, accept: headers.accept, type, fields };
}

function mailRequest({ method, path, headers, body }) {
  const { authorization, "content-type": type } = headers;
  return { method, path, authorization, type, body: JSON.parse(body) };
}

const lastRequest = () => worker.sandbox.requests().at(-1);

test("an SMS is the request Twilio's own library sends", async () => {
  const to = "+34600111222";
  await shop.newUser("ann", { phone: to });
  success(await shop.sms("ann"));
  const ours = lastRequest();
  const [message] = worker.sandbox.messages({ to });
  await twilioClient().messages.create({ to, from: worker.variables.TWILIO_FROM, body: message.text });
  const theirs = lastRequest();
  assert.notEqual(ours, theirs);
  assert.deepEqual(smsRequest(ours), smsRequest(theirs));
  assert.equal(ours.status, 201);
});

test("an e-mail is the request SendGrid's own library sends", async () => {
  const to = "ann.o'hara+candado@example.com";
  await shop.newUser("bob", { email: to });
  success(await shop.email("bob"));
  const ours = lastRequest();
  const [{ subject, text, html }] = worker.sandbox.messages({ to });
  const { client } = sendgridMail;
  client.setDefaultRequest("baseUrl", `${worker.sandbox.url}/`);
  sendgridMail.setApiKey(worker.variables.SENDGRID_API_KEY);
  client.setDefaultRequest("baseUrl", `${worker.sandbox.url}/`);
  await sendgridMail.send({
    to,
    from: { email: worker.variables.SENDGRID_FROM, name: "Tienda & Café" },
    subject,
    text,
    html,
    trackingSettings: { clickTracking: { enable: false, enableText: false }, openTracking: { enable: false } },
  });
  const theirs = lastRequest();
  assert.notEqual(ours, theirs);
  assert.deepEqual(mailRequest(ours), mailRequest(theirs));
  assert.equal(ours.status, 202);
});

test("an SMS through a messaging service is too", async () => {
  await worker.restart({ TWILIO_MESSAGING_SERVICE_SID: SERVICE });
  const to = "+34600111223";
  await shop.newUser("carol", { phone: to });
  success(await shop.sms("carol"));
  const ours = lastRequest();
  const [{ text }] = worker.sandbox.messages({ to });
  await twilioClient().messages.create({ to, messagingServiceSid: SERVICE, body: text });
  assert.deepEqual(smsRequest(ours), smsRequest(lastRequest()));
  await worker.restart({ TWILIO_MESSAGING_SERVICE_SID: "" });
});

const refusal = { status: 502, error: "delivery_failed", requests: 1 };
const outage = { status: 503, error: "delivery_unavailable", requests: 1 };
const faults = [
  ...[400, 401, 403, 404, 413].map((status) => [`${status}`, { status }, refusal]),
  ["429 three times", { status: 429, headers: { "retry-after": "0" }, times: 3 }, { ...outage, requests: 3, pause: 1 }],
  ["429 for a minute", { status: 429, headers: { "retry-after": "60" } }, { ...outage, pause: 60 }],
  ["429 with a nonsensical Retry-After", { status: 429, headers: { "retry-after": "soon" }, times: 3 }, { ...outage, requests: 3, pause: 30 }],
  ...[500, 502, 503].map((status) => [`${status}`, { status }, outage]),
  ["a reset connection", { reset: true }, outage],
  ["no answer", { hang: true }, { ...outage, least: 4900, most: 7000 }],
  ["an answer after six seconds", { delay_ms: 6000 }, { ...outage, least: 4900, most: 7000, arrives: true }],
  ["an answer of 600 KB of garbage", { status: 400, body: "<html>".repeat(100_000) }, refusal],
  ["a redirect to somewhere else", { status: 302, headers: "evil" }, outage],
  ["a permanent redirect", { status: 308, headers: "evil" }, outage],
];

/** Where the user `name` gets messages, as /mfa/register takes it. */
const contact = (channel, name, number) => (channel === "sms" ? { phone: `+1202555${number}` } : { email: `${name}@example.org` });

const requestsBy = (channel) => worker.sandbox.requests().filter((request) => request.channel === channel);

// Two providers at once, since much of it is waiting.
describe("ATK-79:", { concurrency: true }, () => {
  for (const channel of ["sms", "email"]) {
    describe(`a failing ${channel} provider costs a bounded time and leaves no code behind:`, { concurrency: false }, () => {
      faults.forEach(([name, fault, expected], index) => test(name, () => faulty(channel, 1000 + index, fault, expected)));
      test("REL-02: a 429 is tried again after the time it asks for, with the same code", () => patient(channel));
    });
  }
});

async function faulty(channel, number, fault, expected) {
  const user = `${channel}-${number}`;
  const destination = contact(channel, user, number);
  const [to] = Object.values(destination);
  await shop.newUser(user, destination);
  const headers = fault.headers === "evil" ? { location: evil.url } : fault.headers;
  await worker.fault({ channel, ...fault, headers });
  const [requests, visits] = [requestsBy(channel).length, evil.visits];

  const began = performance.now();
  const reply = await shop[channel](user);
  const took = performance.now() - began;
  const body = failure(reply, expected.status, expected.error);
  assert.ok(took >= (expected.least ?? 0) && took < (expected.most ?? 4000), `it took ${Math.round(took)} ms`);
  assert.doesNotMatch(JSON.stringify(body), /\d{6}|twilio|sendgrid|html/i);
  const sent = requestsBy(channel).slice(requests);
  assert.equal(sent.length, expected.requests);
  assert.equal(evil.visits, visits);

  // REL-03: the code that may have arrived is dead, and another may be asked for at once.
  const codes = new Set(sent.map(({ body }) => codeIn(channel, body)));
  assert.equal(codes.size, 1, "never a second, different code");
  failure(await shop.verify(user, [...codes][0]), 400, "invalid_code");
  assert.equal(worker.sandbox.messages({ to }).length, expected.arrives ? 1 : 0);
  if (expected.pause) await pausesFor(expected.pause, channel, user, body);
  success(await shop[channel](user));
  success(await shop.verify(user, worker.codeSentTo(to)));
  const [failed] = await worker.events({ client_id: shop.id, user_id: user, event: "delivery_failed" });
  assert.equal(failed.outcome, "failure");
}

/** ATK-89: a provider that is busy is left alone by everybody until its time. */
async function pausesFor(seconds, channel, user, body) {
  assert.equal(body.retry_after, seconds);
  const requests = requestsBy(channel).length;
  const others = await parallel(5, () => shop[channel](user));
  if (seconds > 1) for (const reply of others) assert.ok(failure(reply, 503, "delivery_unavailable").retry_after <= seconds);
  if (seconds > 1) assert.equal(requestsBy(channel).length, requests);
  await worker.sql("DELETE FROM provider_pauses WHERE provider = ?", channel === "sms" ? "twilio" : "sendgrid");
  // Of those that came after the shortest pause one was sent.
  await worker.sql("UPDATE accounts SET state = json_remove(state, '$.sends') WHERE user_id = ?", user);
}

function codeIn(channel, body) {
  if (channel === "sms") return findCode({ text: new URLSearchParams(body).get("Body") });
  return findCode({ text: JSON.parse(body).content[0].value });
}

async function patient(channel) {
  const destination = contact(channel, "patient", 1099);
  const [to] = Object.values(destination);
  await shop.newUser(`patient-${channel}`, destination);
  await worker.fault({ channel, status: 429, headers: { "retry-after": "1" }, times: 2 });
  const requests = requestsBy(channel).length;
  const began = performance.now();
  success(await shop[channel](`patient-${channel}`));
  const took = performance.now() - began;
  assert.ok(took >= 2000 && took < 5000, `it took ${Math.round(took)} ms`);
  const sent = requestsBy(channel).slice(requests);
  assert.deepEqual([sent.length, new Set(sent.map(({ body }) => body)).size], [3, 1]);
  assert.equal(worker.sandbox.messages({ to }).length, 1);
  success(await shop.verify(`patient-${channel}`, worker.codeSentTo(to)));
}

test("ATK-79: a success is a success, whatever its body says", async () => {
  await worker.sql("DELETE FROM provider_pauses");
  for (const [index, body] of ["", "<html>", '{"status":"failed"}', "\u0000".repeat(70_000)].entries()) {
    const to = `+1305555010${index}`;
    await shop.newUser(`garbage-${index}`, { phone: to });
    await worker.fault({ channel: "sms", status: 200, body });
    success(await shop.sms(`garbage-${index}`));
  }
});

test("a provider that hangs holds up nobody else", async () => {
  await shop.newUser("slow", { phone: "+12125550111" });
  const app = await shop.newUser("quick");
  await worker.fault({ channel: "sms", hang: true });
  const slow = shop.sms("slow");
  const began = performance.now();
  await parallel(10, (index) => shop.register(`other-${index}`));
  success(await shop.verify("quick", await app.freshCode()));
  assert.ok(performance.now() - began < 3000);
  failure(await slow, 503, "delivery_unavailable");
});

test("ATK-72: nothing of a user's reaches the address of a provider's request", async () => {
  for (const user of ["../Messages", "%2e%2e", "a#b", "a?To=+1", "a/../../x"]) {
    success(await shop.register(user, { email: `${user.length}x@example.com`, phone: "+12125550122" }));
    await shop.email(user);
    await shop.sms(user);
  }
  for (const phone of ["../Messages", "+1415555%2e%2e", "+14155550100#", "+14155550100&To=+1", "+14155550100,+14155550101"]) {
    failure(await shop.register("x", { phone }), 400, "invalid_request");
  }
  const paths = new Set(worker.sandbox.requests().map(({ method, path }) => `${method} ${path}`));
  const messages = `/2010-04-01/Accounts/${worker.variables.TWILIO_ACCOUNT_SID}/Messages.json`;
  assert.deepEqual([...paths].sort(), [`POST ${messages}`, "POST /v3/mail/send"]);
});

// Last: it puts other providers into the Worker.
test("ATK-79: where the first provider hangs or fails, a gateway carries the same code within the time", async () => {
  await worker.restart({
    SMS_PROVIDERS: "twilio,sms_hook",
    EMAIL_PROVIDERS: "sendgrid,email_hook",
    HOOK_URL: `${worker.sandbox.url}/hook`,
    HOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
  });
  const to = { sms: "+12125550133", email: "chain@example.com" };
  for (const channel of ["sms", "email"]) {
    const user = `chain-${channel}`;
    await shop.newUser(user, channel === "sms" ? { phone: to.sms } : { email: to.email });
    await worker.fault({ channel, ...(channel === "sms" ? { hang: true } : { status: 500 }) });
    const began = performance.now();
    success(await shop[channel](user));
    assert.ok(performance.now() - began < 5000);
    const tried = worker.sandbox.requests().filter((request) => request.channel === channel).slice(-2);
    assert.deepEqual(tried.map(({ path, status }) => [path === "/hook", status]), [[false, channel === "sms" ? null : 500], [true, 202]]);
    const message = worker.sandbox.messages({ channel, to: to[channel] }).at(-1);
    assert.ok(tried[0].body.includes(findCode(message)), "the code that the first one got");
    success(await shop.verify(user, findCode(message)));
    failure(await shop.verify(user, findCode(message)), 400, "code_already_used");
  }
});
