// Answers one provider request: records it, lets a queued fault have it, else asks the stand-in.

import { setTimeout as sleep } from "node:timers/promises";
import * as hook from "./hook.mjs";
import * as sendgrid from "./sendgrid.mjs";
import * as twilio from "./twilio.mjs";

const STAND_INS = { twilio, sendgrid, hook };

/** @param body the request's body as text, undefined when it was too large to read */
export async function answerProvider(name, { store, faults, credentials }, request, body, response) {
  const standIn = STAND_INS[name];
  const channel = standIn.channelOf(body ?? "");
  const record = store.addRequest({
    received_at: new Date().toISOString(),
    channel,
    method: request.method,
    path: request.url,
    headers: request.headers,
    body: body ?? "",
    status: null, // set when answered; stays null for a reset and for a hang
  });

  const fault = faults.take(channel);
  const isOrdinary = !fault || !(fault.status || fault.reset || fault.hang);
  let answer;
  if (isOrdinary) {
    answer = body === undefined ? standIn.refusal(413) : standIn.answer({ ...record, body }, credentials[name]);
    // Kept before any delay: a client that gives up waiting has still caused a message.
    store.addMessages(answer.messages);
  } else if (fault.status) {
    answer = faultAnswer(fault, standIn);
  }

  if (fault?.hang) return;
  if (fault?.delay_ms && !(await waited(fault.delay_ms, response))) return;
  if (fault?.reset) {
    request.socket.resetAndDestroy();
    return;
  }
  record.status = answer.status;
  response.writeHead(answer.status, { ...answer.headers, "content-length": Buffer.byteLength(answer.body) });
  response.end(answer.body);
}

// What a fault does not say is what the provider would say with that status.
function faultAnswer({ status, headers, body }, standIn) {
  const usual = status >= 400 ? standIn.refusal(status) : { headers: {}, body: "" };
  return { status, headers: { ...usual.headers, ...lowerCaseNames(headers) }, body: body ?? usual.body };
}

function lowerCaseNames(headers = {}) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** False when the client went away meanwhile. */
async function waited(ms, response) {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    await sleep(ms, undefined, { signal: gone.signal });
    return true;
  } catch {
    return false;
  }
}
