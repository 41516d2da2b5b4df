// What `npm start` shows of the Worker's log: its line of JSON for a request, in the order a person reads it.

/** Answers the line to show, or null for one that says nothing more: wrangler's own about the same request. */
export function requestLine(line) {
  if (line === "" || /^\[wrangler:info\] [A-Z]+ \S+ \d{3}\b/.test(line)) return null;
  // wrangler marks what the Worker writes as an error.
  const request = parsed(line.replace(/^✘ \[ERROR\] /, ""));
  if (!request?.request_id) return line;
  const { method, route, status, error, cause, ms, client, request_id } = request;
  const answer = [status, error].filter(Boolean).join(" ");
  const details = [`${ms} ms`, client, request_id, cause && `cause: ${cause}`].filter(Boolean).join("  ");
  return `${method.padEnd(6)} ${route.padEnd(24)} ${answer.padEnd(24)} ${details}`;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
