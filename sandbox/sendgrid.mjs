// SendGrid's `POST /v3/mail/send`: a request in, an answer and the accepted messages out. Pure but
// for the drawn message id. Statuses and wording are those SendGrid documents and its users quote.

import { randomBytes } from "node:crypto";
import { isObject, problemsOf, recipientsOf } from "./sendgrid-rules.mjs";

/** What it carries goes to mailboxes. */
export const channelOf = () => "email";

/** What SendGrid says with a status that has nothing to do with the request's content. */
export function refusal(status) {
  if (status === 413) return plainError(413, "Payload Too Large");
  if (status === 429) return plainError(429, "too many requests");
  if (status >= 500) return plainError(status, "Internal Server Error");
  return plainError(status, "Request refused");
}

/**
 * @param request {method, path, headers (lower-case names), body}
 * @param credentials {apiKey}: undefined accepts every key of the right form
 * @returns {{status, headers, body, messages}}
 */
export function answer(request, { apiKey }) {
  if (request.path.split("?")[0] !== "/v3/mail/send") return plainError(404, "Not Found");
  if (request.method !== "POST") return plainError(405, "POST method allowed only", { allow: "POST" });

  const { authorization } = request.headers;
  if (!authorization) return plainError(401, "Permission denied, wrong credentials");
  const isKnown = apiKey ? authorization === `Bearer ${apiKey}` : /^Bearer SG\.[\w.-]+$/.test(authorization);
  if (!isKnown) {
    return plainError(401, "The provided authorization grant is invalid, expired, or revoked");
  }

  const type = (request.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
  if (type !== "application/json") return plainError(415, "Content-Type should be application/json.");
  const mail = parsed(request.body);
  if (!isObject(mail)) return plainError(400, "Bad Request");

  const errors = problemsOf(mail);
  if (errors.length > 0) return respond(400, { errors });
  return accept(mail);
}

// Every recipient gets a mail of their own, so every recipient gets a message in the inbox.
function accept(mail) {
  // Sandbox mode is SendGrid's own: the mail is checked, answered with 200 and sent nowhere.
  if (mail.mail_settings?.sandbox_mode?.enable) return { status: 200, headers: {}, body: "", messages: [] };

  const id = randomBytes(16).toString("base64url");
  const part = (type) => (mail.content ?? []).find((block) => block.type.toLowerCase() === type)?.value ?? null;
  const recipients = mail.personalizations.flatMap((one) => recipientsOf(one).map(({ email }) => ({ one, email })));
  const messages = recipients.map(({ one, email }, index) => ({
    id: recipients.length === 1 ? id : `${id}.${index}`,
    channel: "email",
    to: email,
    from: one.from?.email ?? mail.from.email,
    subject: one.subject ?? mail.subject ?? null,
    text: part("text/plain"),
    html: part("text/html"),
  }));
  return { status: 202, headers: { "x-message-id": id }, body: "", messages };
}

function plainError(status, message, headers) {
  return respond(status, { errors: [{ message, field: null, help: null }] }, headers);
}

function respond(status, value, headers) {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value), messages: [] };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
