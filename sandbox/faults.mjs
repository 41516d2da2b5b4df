// Failures on demand: `POST /faults` queues one, the next requests of its channel meet it.

const CHANNELS = ["sms", "email"];
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
const DELAY_LIMIT_MS = 600_000;

// Field by field: what a value has to be, and in which words that is asked for.
const RULES = {
  channel: [(v) => CHANNELS.includes(v), 'must be "sms" or "email"'],
  status: [(v) => Number.isInteger(v) && v >= 200 && v <= 599, "must be an integer from 200 to 599"],
  headers: [isHeaders, "must be an object of header names and string values"],
  body: [(v) => typeof v === "string", "must be a string"],
  delay_ms: [(v) => Number.isInteger(v) && v >= 0 && v <= DELAY_LIMIT_MS, `must be an integer from 0 to ${DELAY_LIMIT_MS}`],
  times: [(v) => Number.isInteger(v) && v >= 1 && v <= 1000, "must be an integer from 1 to 1000"],
  reset: [(v) => typeof v === "boolean", "must be true or false"],
  hang: [(v) => typeof v === "boolean", "must be true or false"],
};

/** @returns {{fault} | {error: string}} from the text of a request body */
export function parseFault(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return { error: "the body is not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { error: "the body must be a JSON object" };
  for (const [field, given] of Object.entries(value)) {
    if (!Object.hasOwn(RULES, field)) return { error: `${field}: unknown field` };
    const [isValid, wanted] = RULES[field];
    if (!isValid(given)) return { error: `${field}: ${wanted}` };
  }
  if (value.channel === undefined) return { error: "channel: is required" };

  const kinds = ["status", "reset", "hang"].filter((kind) => value[kind]);
  if (kinds.length > 1) return { error: `${kinds.join(" and ")} exclude each other` };
  if (kinds.length === 0 && !value.delay_ms) return { error: "one of status, delay_ms, reset or hang is required" };
  if (value.status === undefined && (value.headers !== undefined || value.body !== undefined)) {
    return { error: "headers and body need a status" };
  }
  return { fault: { times: 1, delay_ms: 0, ...value } };
}

export function createFaults() {
  let queue = [];

  return {
    list: () => queue,
    add(fault) {
      queue = [...queue, fault];
    },
    /** The oldest fault of the channel, used once; undefined when there is none. */
    take(channel) {
      const fault = queue.find((queued) => queued.channel === channel);
      if (!fault) return undefined;
      queue = queue
        .map((queued) => (queued === fault ? { ...queued, times: queued.times - 1 } : queued))
        .filter((queued) => queued.times > 0);
      return fault;
    },
    forget() {
      queue = [];
    },
  };
}

function isHeaders(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, text]) => HEADER_NAME.test(name) && typeof text === "string" && HEADER_VALUE.test(text),
  );
}
