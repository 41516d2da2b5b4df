// A gateway of one's own (`HOOK_URL`): takes messages as JSON, signed the way of Standard Webhooks. Pure but for the
// clock.

import { createHmac, timingSafeEqual } from "node:crypto";

/** Seconds a request may be old, or early. */
const TOLERANCE = 300;

/** Which of the two it carries is said in each message. */
export const channelOf = (body) => (parsed(body)?.channel === "email" ? "email" : "sms");

/** What it says with a status that has nothing to do with the request's content. */
export const refusal = (status) => json(status, { error: "refused" });

/**
 * @param request {method, path, headers (lower-case names), body}
 * @param credentials {secret}: what is undefined is not compared
 * @returns {{status, headers, body, messages}}
 */
export function answer({ method, headers, body }, { secret }) {
  if (method !== "POST") return json(405, { error: "only POST" });
  const wrong = secret && unsigned(headers, body, secret);
  if (wrong) return json(401, { error: wrong });
  const message = parsed(body);
  if (!message?.destination || !message.text) return json(400, { error: "destination and text are needed" });
  const { destination: to, sender: from, subject = null, text, html = null } = message;
  const kept = { id: headers["webhook-id"], channel: channelOf(body), to, from, subject, text, html };
  return { ...json(202, {}), messages: [kept] };
}

/** What is wrong with the signature, if anything is: one of those in the header has to be right. */
function unsigned(headers, body, secret) {
  const [id, timestamp] = [headers["webhook-id"], headers["webhook-timestamp"]];
  if (!id || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE)) return "webhook-id or webhook-timestamp is wrong";
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const right = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
  const isRight = (signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ""), "base64");
    return given.length === right.length && timingSafeEqual(given, right);
  };
  return (headers["webhook-signature"] ?? "").split(" ").some(isRight) ? undefined : "webhook-signature is wrong";
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function json(status, value) {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value), messages: [] };
}
