// Stands in for Twilio, SendGrid and a gateway of one's own on localhost: start, sockets, routes.
//
//   node sandbox/server.mjs            SANDBOX_PORT, CANDADO_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, SENDGRID_API_KEY, HOOK_SECRET
//   import { startSandbox } from "…"   in tests

import { createServer } from "node:http";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { createFaults, parseFault } from "./faults.mjs";
import { answerProvider } from "./provider.mjs";
import { createStore } from "./store.mjs";

const BODY_LIMIT = 1024 * 1024;
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

const PAGE_FILES = {
  "/": ["inbox.html", "text/html; charset=utf-8"],
  "/inbox.css": ["inbox.css", "text/css; charset=utf-8"],
  "/inbox.js": ["inbox.js", "text/javascript; charset=utf-8"],
  "/code.mjs": ["code.mjs", "text/javascript; charset=utf-8"],
  "/segments.mjs": ["segments.mjs", "text/javascript; charset=utf-8"],
};
const PAGE_HEADERS = {
  // The frame with a mail's HTML is a srcdoc and inherits this policy. Mails are styled inline, so
  // inline style is allowed; script comes from our file only, and nothing comes from elsewhere.
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};

// What inbox.html itself says.
const DEFAULT_SERVICE = "http://localhost:8787";

/**
 * Credentials left out accept every well-formed one. Port 0 takes any free port. The page names `service`.
 * @returns {Promise<{url: string, close: () => Promise<void>, messages: (filter?) => object[], requests: () => object[]}>}
 */
export async function startSandbox({ port = 0, service = DEFAULT_SERVICE, twilioAccountSid, twilioAuthToken, sendgridApiKey, hookSecret } = {}) {
  const sandbox = {
    store: createStore(),
    faults: createFaults(),
    service,
    credentials: {
      twilio: { accountSid: twilioAccountSid, authToken: twilioAuthToken },
      sendgrid: { apiKey: sendgridApiKey },
      hook: { secret: hookSecret },
    },
  };
  const { bound, servers } = await listen(port, (request, response) => {
    handle(sandbox, request, response).catch((error) => {
      if (!request.errored) console.error(error); // otherwise the client gave up while sending
      response.destroy();
    });
  });
  // An idle connection closed here while the client writes to it would look like a provider fault.
  for (const server of servers) server.keepAliveTimeout = 0;
  return {
    url: `http://localhost:${bound}`,
    messages: sandbox.store.messages,
    requests: sandbox.store.requests,
    async close() {
      await Promise.all(
        servers.map((server) => {
          const closed = once(server, "close");
          server.close();
          // Hanging and delayed answers would keep it open.
          server.closeAllConnections();
          return closed;
        }),
      );
    },
  };
}

// Both loopback addresses, because `localhost` is either; never another one, because the inbox
// shows codes to whoever reaches it.
async function listen(port, onRequest) {
  const ipv4 = createServer(onRequest);
  ipv4.listen(port, "127.0.0.1");
  await once(ipv4, "listening");
  const bound = ipv4.address().port;

  const ipv6 = createServer(onRequest);
  try {
    ipv6.listen(bound, "::1");
    await once(ipv6, "listening");
    return { bound, servers: [ipv4, ipv6] };
  } catch (error) {
    if (["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(error.code)) return { bound, servers: [ipv4] };
    ipv4.close();
    // The port drawn for IPv4 is taken on IPv6: draw another.
    if (port === 0 && error.code === "EADDRINUSE") return listen(0, onRequest);
    throw error;
  }
}

async function handle(sandbox, request, response) {
  const body = await readBody(request);
  if (request.url.startsWith("/2010-04-01/")) return answerProvider("twilio", sandbox, request, body, response);
  if (request.url.startsWith("/v3/")) return answerProvider("sendgrid", sandbox, request, body, response);
  if (request.url === "/hook") return answerProvider("hook", sandbox, request, body, response);

  const answer = await answerOwn(sandbox, request, body);
  response.writeHead(answer.status, {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-type": "application/json",
    ...answer.headers,
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

async function answerOwn({ store, faults, service }, request, body) {
  // A web page that had its own name resolve to 127.0.0.1 would otherwise read the codes.
  if (!LOCAL_HOST.test(request.headers.host ?? "")) return problem(403, "the sandbox answers to localhost only");
  if (body === undefined) return problem(413, `the body is larger than ${BODY_LIMIT} bytes`);

  const [pathname, query] = request.url.split("?");
  const routes = {
    "/messages": {
      GET: () => json(200, store.messages(filterOf(query))),
      DELETE: () => (store.forget(), noContent()),
    },
    "/requests": { GET: () => json(200, store.requests()) },
    "/faults": {
      GET: () => json(200, faults.list()),
      POST: () => addFault(faults, request, body),
      DELETE: () => (faults.forget(), noContent()),
    },
  };
  const methods = Object.hasOwn(PAGE_FILES, pathname) ? { GET: () => page(pathname, service) } : routes[pathname];
  if (!methods) return problem(404, `nothing at ${pathname}`);
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (!Object.hasOwn(methods, method)) {
    return problem(405, `${request.method} is not allowed at ${pathname}`, { allow: Object.keys(methods).join(", ") });
  }
  return methods[method]();
}

function filterOf(query) {
  const given = new URLSearchParams(query);
  // A number's `+` that was not percent-encoded arrives as a space.
  return { to: given.get("to")?.replace(/^ /, "+"), channel: given.get("channel") };
}

function addFault(faults, request, body) {
  // A browser asks before it sends JSON to another origin, and no other page gets leave.
  if (!/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) {
    return problem(415, "Content-Type must be application/json");
  }
  const { fault, error } = parseFault(body);
  if (error) return problem(400, error);
  faults.add(fault);
  return json(201, fault);
}

async function page(pathname, service) {
  const [file, type] = PAGE_FILES[pathname];
  const body = await readFile(new URL(file, import.meta.url), "utf8");
  return { status: 200, headers: { ...PAGE_HEADERS, "content-type": type }, body: body.replaceAll(DEFAULT_SERVICE, service) };
}

/** The body as text, or undefined when it is too large: read to its end, so that the answer is read too. */
async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= BODY_LIMIT) chunks.push(chunk);
  }
  return size <= BODY_LIMIT ? Buffer.concat(chunks).toString("utf8") : undefined;
}

function problem(status, error, headers) {
  return json(status, { error }, headers);
}

function json(status, value, headers) {
  return { status, headers, body: JSON.stringify(value) };
}

function noContent() {
  return { status: 204 };
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  const { SANDBOX_PORT = "8026", CANDADO_URL = DEFAULT_SERVICE, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, SENDGRID_API_KEY, HOOK_SECRET } = process.env;
  if (!/^\d{1,5}$/.test(SANDBOX_PORT) || Number(SANDBOX_PORT) > 65535) {
    console.error(`SANDBOX_PORT must be a port number, not "${SANDBOX_PORT}"`);
    process.exit(1);
  }
  if (!/^https?:\/\/[\w.[\]:-]+$/.test(CANDADO_URL)) {
    console.error(`CANDADO_URL must be an address like ${DEFAULT_SERVICE}, not "${CANDADO_URL}"`);
    process.exit(1);
  }
  const { url } = await startSandbox({
    port: Number(SANDBOX_PORT),
    service: CANDADO_URL,
    twilioAccountSid: TWILIO_ACCOUNT_SID,
    twilioAuthToken: TWILIO_AUTH_TOKEN,
    sendgridApiKey: SENDGRID_API_KEY,
    hookSecret: HOOK_SECRET,
  });
  console.log(`sandbox listening on ${url}`);
}
