import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startSandbox } from "./server.mjs";
import { CREDENTIALS, MAIL, sendMail } from "./fixtures.mjs";

const HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#";

let sandbox;
before(async () => {
  sandbox = await startSandbox(CREDENTIALS);
});
after(() => sandbox.close());
beforeEach(() => fetch(`${sandbox.url}/messages`, { method: "DELETE" }));

async function assertRefused(response, status, errors) {
  assert.equal(response.status, status);
  assert.match(response.headers.get("content-type"), /^application\/json/);
  assert.deepEqual(await response.json(), { errors });
  assert.deepEqual(sandbox.messages(), [], "nothing was sent");
}

const plain = (message) => [{ message, field: null, help: null }];

test("a mail is answered with 202, an id and no body, and kept", async () => {
  const response = await sendMail(sandbox.url);
  assert.equal(response.status, 202);
  assert.equal(await response.text(), "");
  const id = response.headers.get("x-message-id");
  assert.match(id, /^[\w-]{22}$/);
  const [{ received_at, ...message }] = sandbox.messages();
  assert.deepEqual(message, {
    id,
    channel: "email",
    to: "ana@example.com",
    from: "no-reply@candado.example",
    subject: "Your code",
    text: "Your code is 718204.",
    html: "<p>Your code is <b>718204</b>.</p>",
  });
  assert.ok(Date.parse(received_at));
});

test("every recipient gets a message, with the subject of their personalization", async () => {
  const personalizations = [
    { to: [{ email: "a@example.com" }, { email: "b@example.com" }], bcc: [{ email: "c@example.com" }] },
    { to: [{ email: "d@example.com" }], subject: "For d" },
  ];
  assert.equal((await sendMail(sandbox.url, { personalizations })).status, 202);
  const messages = sandbox.messages();
  assert.deepEqual(messages.map(({ to }) => to), ["a@example.com", "b@example.com", "c@example.com", "d@example.com"]);
  assert.deepEqual(messages.map(({ subject }) => subject), ["Your code", "Your code", "Your code", "For d"]);
  assert.equal(new Set(messages.map(({ id }) => id)).size, 4);
});

test("SendGrid's sandbox mode checks the mail, answers 200 and sends nothing", async () => {
  const mail_settings = { sandbox_mode: { enable: true } };
  assert.equal((await sendMail(sandbox.url, { mail_settings })).status, 200);
  assert.deepEqual(sandbox.messages(), []);
  assert.equal((await sendMail(sandbox.url, { mail_settings, from: undefined })).status, 400);
});

test("no credentials: 401", async () => {
  await assertRefused(await sendMail(sandbox.url, {}, { authorization: null }), 401, plain("Permission denied, wrong credentials"));
});

for (const authorization of ["Bearer SG.another.key", "Bearer ", "Basic SG.a-key.of-the-right-form"]) {
  test(`the credentials "${authorization}": 401`, async () => {
    const message = "The provided authorization grant is invalid, expired, or revoked";
    await assertRefused(await sendMail(sandbox.url, {}, { authorization }), 401, plain(message));
  });
}

for (const type of ["text/plain", "application/x-www-form-urlencoded", ""]) {
  test(`the content type "${type}": 415`, async () => {
    await assertRefused(await sendMail(sandbox.url, {}, { type }), 415, plain("Content-Type should be application/json."));
  });
}

test("a content type with a charset is JSON too", async () => {
  assert.equal((await sendMail(sandbox.url, {}, { type: "application/json; charset=utf-8" })).status, 202);
});

for (const body of ["{", "[]", "null", ""]) {
  test(`the body ${JSON.stringify(body)}: 400`, async () => {
    await assertRefused(await sendMail(sandbox.url, {}, { body }), 400, plain("Bad Request"));
  });
}

test("another method: 405", async () => {
  const response = await fetch(`${sandbox.url}/v3/mail/send`);
  assert.equal(response.headers.get("allow"), "POST");
  await assertRefused(response, 405, plain("POST method allowed only"));
});

test("another path: 404", async () => {
  await assertRefused(await fetch(`${sandbox.url}/v3/mail/batch`, { method: "POST" }), 404, plain("Not Found"));
});

const FROM_MISSING =
  "The from object must be provided for every email send. It is an object that requires the email parameter, but may also " +
  'contain a name parameter.  e.g. {"email" : "example@example.com"}  or {"email" : "example@example.com", "name" : "Example Recipient"}.';
const PERSONALIZATION_MISSING = "The personalizations field is required and must have at least one personalization.";
const CONTENT_MISSING =
  "Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content block. " +
  "We typically suggest both text/plain and text/html blocks are included, but only one block is required.";
const to = (...emails) => [{ to: emails.map((email) => ({ email })) }];

const wrongFields = [
  ["no from", { from: undefined }, FROM_MISSING, "from.email", "message.from"],
  ["a from without email", { from: { name: "Candado" } }, FROM_MISSING, "from.email", "message.from"],
  ["a from of text", { from: "a@b.example" }, "Invalid type. Expected: object, given: string.", "from", "message.from"],
  ["a from that is no address", { from: { email: "candado" } }, "The from email does not contain a valid address.", "from.email", "message.from"],
  ["no personalizations", { personalizations: undefined }, PERSONALIZATION_MISSING, "personalizations", "-Personalizations-Errors"],
  ["empty personalizations", { personalizations: [] }, PERSONALIZATION_MISSING, "personalizations", "-Personalizations-Errors"],
  ["a personalization without to", { personalizations: [{}] }, "The to array is required for all personalization objects, and must have at least one email object with a valid email address.", "personalizations.0.to", "message.personalizations.to"],
  ["a to of text", { personalizations: [{ to: ["a@b.example"] }] }, "Invalid type. Expected: object, given: string.", "personalizations.0.to.0", "message.personalizations.to"],
  ["a to with a list of addresses", { personalizations: [{ to: [{ email: ["a@b.example"] }] }] }, "Invalid type. Expected: string, given: array.", "personalizations.0.to.0.email", "message.personalizations.to"],
  ["a to that is no address", { personalizations: to("a@b.example", "ana@localhost") }, "Does not contain a valid address.", "personalizations.0.to.1.email", "message.personalizations.to"],
  ["the same recipient twice", { personalizations: to("a@b.example", "A@b.example") }, "Each email address in the personalization block should be unique between to, cc, and bcc. We found the first duplicate instance of [a@b.example] in the personalizations.0.to field.", "personalizations.0", "message.personalizations"],
  ["no content", { content: undefined }, CONTENT_MISSING, "content", "message.content"],
  ["an empty text", { content: [{ type: "text/plain", value: "" }] }, "The content value must be a string at least one character in length.", "content.0.value", "message.content.value"],
  ["no type of content", { content: [{ value: "x" }] }, "The content type must be a string at least one character in length.", "content.0.type", "message.content.type"],
  ["HTML before text", { content: [...MAIL.content].reverse() }, "Following RFC 1341, section 7.2, if either text/html or text/plain are to be sent in your email: text/plain needs to be first, followed by text/html, followed by any other content.", "content", "message.content"],
  ["no subject", { subject: undefined }, "The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.", "subject", "message.subject"],
  ["a subject of another type", { subject: 1 }, "Invalid type. Expected: string, given: number.", "subject", "message.subject"],
  ["a sandbox mode of text", { mail_settings: { sandbox_mode: { enable: "true" } } }, "Invalid type. Expected: boolean, given: string.", "mail_settings.sandbox_mode.enable", "message.mail_settings.sandbox_mode"],
];
for (const [name, fields, message, field, anchor] of wrongFields) {
  test(`${name}: 400`, async () => {
    await assertRefused(await sendMail(sandbox.url, fields), 400, [{ message, field, help: HELP + anchor }]);
  });
}

test("all that is missing is said at once", async () => {
  const response = await sendMail(sandbox.url, {}, { body: "{}" });
  const { errors } = await response.json();
  assert.deepEqual(errors.map(({ field }) => field), ["from.email", "personalizations", "content"]);
});

test("too many recipients: 400", async () => {
  const many = to(...Array.from({ length: 1001 }, (_, index) => `user${index}@example.com`));
  const { errors } = await (await sendMail(sandbox.url, { personalizations: many })).json();
  assert.equal(errors[0].message, "There is a limit of 1000 total recipients (to + cc + bcc) per request.");
});

test("a template stands in for content and subject", async () => {
  const response = await sendMail(sandbox.url, { content: undefined, subject: undefined, template_id: "d-1" });
  assert.equal(response.status, 202);
  assert.deepEqual([sandbox.messages()[0].text, sandbox.messages()[0].subject], [null, null]);
});

test("a sandbox without a key takes every key of the right form", async () => {
  const open = await startSandbox();
  try {
    assert.equal((await sendMail(open.url, {}, { authorization: "Bearer SG.any.key" })).status, 202);
    assert.equal((await sendMail(open.url, {}, { authorization: "Bearer any-key" })).status, 401);
  } finally {
    await open.close();
  }
});
