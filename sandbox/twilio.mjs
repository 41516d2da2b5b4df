// Twilio's `POST /2010-04-01/Accounts/{sid}/Messages.json`, for SMS and WhatsApp, and `…/Calls.json`: a request
// in, an answer and the accepted message out. Pure but for the drawn SID and the clock.
//
// Statuses, codes and wording are those Twilio documents and its users quote. Where the order of
// checks is not documented, it is the one seen in quoted answers: credentials, missing parameters
// (To, From, Body), then their values.

import { randomBytes } from "node:crypto";
import { segmentsOf } from "./segments.mjs";

const ACCOUNT_SID = /^AC[0-9a-fA-F]{32}$/;
const API_KEY_SID = /^SK[0-9a-fA-F]{32}$/;
const SERVICE_SID = /^MG[0-9a-fA-F]{32}$/;
const E164 = /^\+[1-9]\d{6,14}$/;
const TEMPLATE_SID = /^HX[0-9a-fA-F]{32}$/;
const WHATSAPP = "whatsapp:";
const SHORT_CODE = /^\d{3,8}$/;
// An alphanumeric sender has at most 11 characters and at least one letter.
const SENDER_NAME = /^(?=.*[A-Za-z])[A-Za-z0-9 +&_-]{1,11}$/;
const BODY_LIMIT = 1600;
const VALIDITY_LIMIT = 36_000;

// Twilio's documented test numbers: what cannot be seen from a number's form is provoked by using
// one of them. https://www.twilio.com/docs/iam/test-credentials
const MAGIC_TO = new Map(Object.entries({
  "+15005550001": (to) => error(400, 21211, `Invalid 'To' Phone Number: ${masked(to)}`),
  "+15005550002": (to, from) =>
    error(400, 21612, `The 'To' phone number: ${to}, is not currently reachable using the 'From' phone number: ${from} via SMS.`),
  "+15005550003": (to) =>
    error(400, 21408, `Permission to send an SMS has not been enabled for the region indicated by the 'To' number: ${to}`),
  "+15005550004": () => error(400, 21610, "Attempt to send to unsubscribed recipient"),
  "+15005550009": (to) => error(400, 21614, `'To' number is not a valid mobile number: ${to}`),
}));
const MAGIC_FROM = new Map(Object.entries({
  "+15005550001": invalidFrom,
  "+15005550007": (from) =>
    error(400, 21606, `The 'From' phone number provided (${from}) is not a valid message-capable Twilio phone number for this destination.`),
  "+15005550008": (from) => error(429, 21611, `This 'From' number ${from} has exceeded the maximum number of queued messages`),
}));

/** What it carries goes to phones. */
export const channelOf = () => "sms";

/** What Twilio says with a status that has nothing to do with the request's content. */
export function refusal(status) {
  if (status === 429) return error(429, 20429, "Too Many Requests");
  if (status === 503) return error(503, 20503, "Service Unavailable");
  if (status >= 500) return error(status, 20500, "An internal server error has occurred");
  return error(status, 20000 + status, "Request refused");
}

/**
 * @param request {method, path, headers (lower-case names), body}
 * @param credentials {accountSid, authToken}: what is undefined is not compared
 * @returns {{status, headers, body, messages}}
 */
export function answer(request, credentials) {
  const [pathname] = request.path.split("?");
  const refused = authenticate(request.headers.authorization, pathname, credentials);
  if (refused) return refused;

  const [, accountSid, resource] = pathname.match(/^\/2010-04-01\/Accounts\/([^/]+)\/(Messages|Calls)\.json$/) ?? [];
  if (!accountSid || !ACCOUNT_SID.test(accountSid)) {
    return error(404, 20404, `The requested resource ${pathname} was not found`);
  }
  if (request.method !== "POST") return error(405, 20004, "Method not allowed");

  const form = formOf(request);
  if (resource === "Calls") return invalidCall(form) ?? acceptCall(form, accountSid);
  return invalidForm(form) ?? accept(form, accountSid);
}

function authenticate(header, pathname, { accountSid, authToken }) {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? "")?.[1];
  if (!encoded) return unauthorized("Authentication Error - No credentials provided");

  const [username, ...rest] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const password = rest.join(":");
  const isKnown = accountSid ? username === accountSid : ACCOUNT_SID.test(username) || API_KEY_SID.test(username);
  if (!isKnown) return unauthorized("Authentication Error - invalid username");
  if (authToken ? password !== authToken : password === "") return unauthorized("Authenticate");

  // An account's credentials open that account only; an API key does not tell its account.
  const inPath = pathname.split("/")[3] ?? "";
  const isOther = ACCOUNT_SID.test(username) && ACCOUNT_SID.test(inPath) && inPath !== username;
  return isOther ? unauthorized("Authenticate") : undefined;
}

// Twilio has no error of its own for a JSON body: it reads no parameters, so `To` is missing.
function formOf({ headers, body }) {
  const type = (headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
  return new URLSearchParams(type === "application/x-www-form-urlencoded" ? body : "");
}

// A template that the console does not show is one of another account.
function invalidTemplate(form) {
  const template = form.get("ContentSid");
  if (template && !TEMPLATE_SID.test(template)) return error(400, 21656, "The ContentSid is invalid");
  try {
    JSON.parse(form.get("ContentVariables") ?? "{}");
  } catch {
    return error(400, 21656, "The ContentVariables Parameter is invalid");
  }
  return undefined;
}

function invalidCall(form) {
  const [to, from] = [form.get("To"), form.get("From")];
  if (!to) return error(400, 21201, "No 'To' number is specified");
  if (!from) return error(400, 21213, "No 'From' number is specified");
  if (!E164.test(to)) return error(400, 21211, `Invalid 'To' Phone Number: ${masked(to)}`);
  if (MAGIC_TO.has(to)) return MAGIC_TO.get(to)(to, from);
  if (!E164.test(from)) return invalidFrom(from);
  if (!form.get("Twiml") && !form.get("Url")) return error(400, 21205, "Url parameter is required.");
  return undefined;
}

function invalidForm(form) {
  const isWhatsapp = form.get("To")?.startsWith(WHATSAPP);
  if (isWhatsapp && !form.get("From")?.startsWith(WHATSAPP) && !form.get("MessagingServiceSid")) {
    return error(400, 63007, "Twilio could not find a Channel with the specified From address");
  }
  const invalid = invalidTemplate(form);
  if (invalid) return invalid;
  const plain = (name) => (isWhatsapp ? form.get(name)?.slice(WHATSAPP.length) : form.get(name));
  const to = plain("To");
  const from = plain("From");
  const service = form.get("MessagingServiceSid");
  const body = form.get("Body") ?? "";
  const validity = form.get("ValidityPeriod");

  if (!to) return error(400, 21604, "A 'To' phone number is required.");
  if (!from && !service) return error(400, 21603, "A 'From' phone number is required.");
  if (!body && !form.get("MediaUrl") && !form.get("ContentSid")) return error(400, 21602, "Message body is required.");

  if (!E164.test(to)) return error(400, 21211, `Invalid 'To' Phone Number: ${masked(to)}`);
  if (MAGIC_TO.has(to)) return MAGIC_TO.get(to)(to, from ?? service);
  if (from && ![E164, SHORT_CODE, SENDER_NAME, SERVICE_SID].some((sender) => sender.test(from))) return invalidFrom(from);
  if (MAGIC_FROM.has(from)) return MAGIC_FROM.get(from)(from);
  if (from && from === to) return error(400, 21266, "'To' and 'From' number cannot be the same");
  if (service && !SERVICE_SID.test(service)) return error(400, 21701, "The Messaging Service does not exist");
  // Counted in UTF-16 units: Twilio's page on 21617 says that an emoji counts as several.
  if (body.length > BODY_LIMIT) return error(400, 21617, "The concatenated message body exceeds the 1600 character limit");
  if (validity !== null && !(/^\d+$/.test(validity) && Number(validity) >= 1 && Number(validity) <= VALIDITY_LIMIT)) {
    return error(400, 21624, "Invalid validity period value");
  }
  return undefined;
}

function accept(form, accountSid) {
  const media = form.getAll("MediaUrl").length;
  const sid = (media ? "MM" : "SM") + randomBytes(16).toString("hex");
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}`;
  const now = new Date();
  const service = form.get("MessagingServiceSid");
  const from = form.get("From");
  const to = form.get("To");
  const body = form.get("Body") ?? templateText(form);
  // A service chooses the sender and cuts the text later: the message is accepted, not yet queued.
  const isQueued = Boolean(from);

  const record = {
    account_sid: accountSid,
    api_version: "2010-04-01",
    body,
    date_created: rfc2822(now),
    date_sent: null,
    date_updated: rfc2822(now),
    direction: "outbound-api",
    error_code: null,
    error_message: null,
    from,
    messaging_service_sid: service,
    num_media: String(media),
    num_segments: isQueued ? String(segmentsOf(body).segments) : "0",
    price: null,
    price_unit: isQueued ? "USD" : null,
    sid,
    status: isQueued ? "queued" : "accepted",
    subresource_uris: { media: `${uri}/Media.json` },
    to,
    uri: `${uri}.json`,
  };
  const message = { id: sid, channel: "sms", to: number(to), from: number(from ?? service), subject: null, text: body, html: null };
  return { ...json(201, record), messages: [message] };
}

/** What a template of the kind "authentication" says. */
function templateText(form) {
  const code = JSON.parse(form.get("ContentVariables") ?? "{}")["1"];
  return form.get("ContentSid") ? `WhatsApp: ${code} is your verification code.` : "";
}

/** In the inbox a number is one number, however it is reached. */
const number = (address) => (address.startsWith(WHATSAPP) ? address.slice(WHATSAPP.length) : address);

function acceptCall(form, accountSid) {
  const sid = `CA${randomBytes(16).toString("hex")}`;
  const [to, from] = [form.get("To"), form.get("From")];
  const record = {
    account_sid: accountSid,
    api_version: "2010-04-01",
    direction: "outbound-api",
    from,
    sid,
    status: "queued",
    to,
    uri: `/2010-04-01/Accounts/${accountSid}/Calls/${sid}.json`,
  };
  const message = { id: sid, channel: "sms", to, from, subject: null, text: `Call: ${said(form.get("Twiml") ?? "")}`, html: null };
  return { ...json(201, record), messages: [message] };
}

/** The words of a call; digits that are said one by one are written as one number. */
function said(twiml) {
  const words = [...twiml.matchAll(/<Say[^>]*>([^<]*)<\/Say>/g)].map(([, text]) => text);
  return words.join(" ").replace(/(?<=\b\d) (?=\d\b)/g, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function invalidFrom(from) {
  return error(400, 21212, `The 'From' number ${from} is not a valid phone number, shortcode, or alphanumeric sender ID.`);
}

function unauthorized(message) {
  const refused = error(401, 20003, message);
  refused.headers["www-authenticate"] = 'Basic realm="Twilio API"';
  return refused;
}

function error(status, code, message) {
  return json(status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status });
}

function json(status, value) {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value), messages: [] };
}

// Twilio hides the end of a number it refuses.
function masked(number) {
  return number.replace(/.{1,4}$/s, "XXXX");
}

function rfc2822(date) {
  return date.toUTCString().replace("GMT", "+0000");
}
