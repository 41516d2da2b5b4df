import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { segmentsOf } from "./segments.mjs";
import { startSandbox } from "./server.mjs";
import { ACCOUNT_SID, AUTH_TOKEN, CREDENTIALS, OTHER_SID, SMS, basic, sendSms } from "./fixtures.mjs";

let sandbox;
before(async () => {
  sandbox = await startSandbox(CREDENTIALS);
});
after(() => sandbox.close());
beforeEach(() => fetch(`${sandbox.url}/messages`, { method: "DELETE" }));

async function assertRefused(response, status, code, message) {
  const body = await response.json();
  assert.equal(response.status, status);
  assert.match(response.headers.get("content-type"), /^application\/json/);
  assert.deepEqual(body, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status });
  assert.deepEqual(sandbox.messages(), [], "nothing was sent");
}

test("an SMS is answered with Twilio's message and kept", async () => {
  const response = await sendSms(sandbox.url);
  assert.equal(response.status, 201);
  const { sid, date_created, date_updated, ...rest } = await response.json();
  assert.match(sid, /^SM[0-9a-f]{32}$/);
  assert.match(date_created, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/);
  assert.equal(date_updated, date_created);
  assert.deepEqual(rest, {
    account_sid: ACCOUNT_SID,
    api_version: "2010-04-01",
    body: SMS.Body,
    date_sent: null,
    direction: "outbound-api",
    error_code: null,
    error_message: null,
    from: SMS.From,
    messaging_service_sid: null,
    num_media: "0",
    num_segments: "1",
    price: null,
    price_unit: "USD",
    status: "queued",
    subresource_uris: { media: `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages/${sid}/Media.json` },
    to: SMS.To,
    uri: `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages/${sid}.json`,
  });
  const [{ received_at, ...message }] = sandbox.messages();
  assert.deepEqual(message, { id: sid, channel: "sms", to: SMS.To, from: SMS.From, subject: null, text: SMS.Body, html: null });
  assert.ok(Math.abs(Date.now() - Date.parse(received_at)) < 5000);
});

test("an SMS through a messaging service is accepted without a sender", async () => {
  const service = `MG${"0c".repeat(16)}`;
  const response = await sendSms(sandbox.url, { From: undefined, MessagingServiceSid: service });
  const { status, from, messaging_service_sid, num_segments } = await response.json();
  assert.deepEqual([status, from, messaging_service_sid, num_segments], ["accepted", null, service, "0"]);
  assert.equal(sandbox.messages()[0].from, service);
});

for (const From of ["+15017122661", "12345", "Acme", `MG${"0c".repeat(16)}`]) {
  test(`${From} may send`, async () => {
    assert.equal((await sendSms(sandbox.url, { From })).status, 201);
  });
}

const wrongCredentials = [
  ["no credentials", "Bearer x", "Authentication Error - No credentials provided"],
  ["another account", basic(OTHER_SID, AUTH_TOKEN), "Authentication Error - invalid username"],
  ["a wrong token", basic(ACCOUNT_SID, "wrong"), "Authenticate"],
  ["an empty token", basic(ACCOUNT_SID, ""), "Authenticate"],
];
for (const [name, authorization, message] of wrongCredentials) {
  test(`${name}: 401 with 20003`, async () => {
    const response = await sendSms(sandbox.url, {}, { authorization });
    assert.equal(response.headers.get("www-authenticate"), 'Basic realm="Twilio API"');
    await assertRefused(response, 401, 20003, message);
  });
}

test("the right credentials do not open another account's path", async () => {
  await assertRefused(await sendSms(sandbox.url, {}, { sid: OTHER_SID }), 401, 20003, "Authenticate");
});

test("a path without an account SID is not found", async () => {
  const message = "The requested resource /2010-04-01/Accounts/me/Messages.json was not found";
  await assertRefused(await sendSms(sandbox.url, {}, { sid: "me" }), 404, 20404, message);
});

test("another method is not allowed", async () => {
  const response = await fetch(`${sandbox.url}/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`, {
    headers: { authorization: basic(ACCOUNT_SID, AUTH_TOKEN) },
  });
  await assertRefused(response, 405, 20004, "Method not allowed");
});

const wrongFields = [
  ["no To", { To: undefined }, 21604, "A 'To' phone number is required."],
  ["an empty To", { To: "" }, 21604, "A 'To' phone number is required."],
  ["neither From nor a service", { From: undefined }, 21603, "A 'From' phone number is required."],
  ["no Body", { Body: undefined }, 21602, "Message body is required."],
  ["a national number", { To: "600111222" }, 21211, "Invalid 'To' Phone Number: 60011XXXX"],
  ["a number that is too long", { To: "+3460011122233344" }, 21211, "Invalid 'To' Phone Number: +346001112223XXXX"],
  ["words for a number", { To: "ana@example.com" }, 21211, "Invalid 'To' Phone Number: ana@exampleXXXX"],
  ["a bad sender", { From: "+0" }, 21212, "The 'From' number +0 is not a valid phone number, shortcode, or alphanumeric sender ID."],
  ["a sender's name that is too long", { From: "TwelveLetter" }, 21212, "The 'From' number TwelveLetter is not a valid phone number, shortcode, or alphanumeric sender ID."],
  ["a number writing to itself", { From: SMS.To }, 21266, "'To' and 'From' number cannot be the same"],
  ["a bad service", { MessagingServiceSid: "MG1" }, 21701, "The Messaging Service does not exist"],
  ["1601 characters", { Body: "a".repeat(1601) }, 21617, "The concatenated message body exceeds the 1600 character limit"],
  ["a validity of 0 seconds", { ValidityPeriod: "0" }, 21624, "Invalid validity period value"],
  ["a validity over 10 hours", { ValidityPeriod: "36001" }, 21624, "Invalid validity period value"],
  ["an unsubscribed number", { To: "+15005550004" }, 21610, "Attempt to send to unsubscribed recipient"],
  ["a landline", { To: "+15005550009" }, 21614, "'To' number is not a valid mobile number: +15005550009"],
];
for (const [name, fields, code, message] of wrongFields) {
  test(`${name}: 400 with ${code}`, async () => {
    await assertRefused(await sendSms(sandbox.url, fields), 400, code, message);
  });
}

test("a sender with a full queue: 429 with 21611", async () => {
  const message = "This 'From' number +15005550008 has exceeded the maximum number of queued messages";
  await assertRefused(await sendSms(sandbox.url, { From: "+15005550008" }), 429, 21611, message);
});

test("1600 characters and the longest validity are accepted", async () => {
  const response = await sendSms(sandbox.url, { Body: "a".repeat(1600), ValidityPeriod: "36000" });
  assert.equal(response.status, 201);
  assert.equal((await response.json()).num_segments, "11");
});

test("a JSON body has no parameters for Twilio", async () => {
  const response = await sendSms(sandbox.url, {}, { type: "application/json", body: JSON.stringify(SMS) });
  await assertRefused(response, 400, 21604, "A 'To' phone number is required.");
});

test("a sandbox without credentials takes all of the right form", async () => {
  const open = await startSandbox();
  try {
    assert.equal((await sendSms(open.url, {}, { authorization: basic(OTHER_SID, "any"), sid: OTHER_SID })).status, 201);
    assert.equal((await sendSms(open.url, {}, { authorization: basic(`SK${"0d".repeat(16)}`, "any") })).status, 201);
    assert.equal((await sendSms(open.url, {}, { authorization: basic("somebody", "any") })).status, 401);
    assert.equal((await sendSms(open.url, {}, { authorization: basic(OTHER_SID, "any") })).status, 401);
  } finally {
    await open.close();
  }
});

const segments = [
  ["", "GSM-7", 1],
  ["a".repeat(160), "GSM-7", 1],
  ["a".repeat(161), "GSM-7", 2],
  ["a".repeat(306), "GSM-7", 2],
  ["a".repeat(307), "GSM-7", 3],
  ["€".repeat(80), "GSM-7", 1],
  ["€".repeat(81), "GSM-7", 2],
  // 152 + an escape pair that does not fit: it opens the second part.
  [`${"a".repeat(152)}€${"a".repeat(151)}`, "GSM-7", 2],
  [`${"a".repeat(152)}€${"a".repeat(152)}`, "GSM-7", 3],
  ["ñ¿éà".repeat(40), "GSM-7", 1],
  ["ó".repeat(70), "UCS-2", 1],
  ["ó".repeat(71), "UCS-2", 2],
  ["😀".repeat(35), "UCS-2", 1],
  ["😀".repeat(67), "UCS-2", 3],
];
for (const [text, encoding, count] of segments) {
  test(`${[...text].length} characters like ${JSON.stringify([...text].at(-1) ?? "")} cost ${count} in ${encoding}`, () => {
    assert.deepEqual(segmentsOf(text), { encoding, segments: count });
  });
}
