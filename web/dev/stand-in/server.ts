// The stand-in over HTTP: the built page under its real headers, /session as PROTOCOL.md describes it, and /dev, with
// which tests and the development page set a world up. It is never part of what is built.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import { answerDev } from "./dev-endpoints.ts";
import { endpoints, redirect, type Call } from "./endpoints.ts";
import { Refusal } from "./rules.ts";
import { endsAt, surroundings, viewOf } from "./view.ts";
import { newToken, now, type World } from "./world.ts";

const dist = new URL("../../dist/", import.meta.url).pathname;
const headers = JSON.parse(readFileSync(new URL("../../headers.json", import.meta.url), "utf8")) as Record<string, Record<string, string>>;
const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".md": "text/plain; charset=utf-8",
};

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: string | Buffer | object;
}

export class StandIn {
  readonly worlds = new Map<string, World>();
  /** First answers, by session and key. */
  readonly kept = new Map<string, { body: string; answer: Answer }>();
  address = "";
  private readonly server = createServer((request, response) => void this.answer(request, response));

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    const bound = this.server.address() as { port: number };
    this.address = `http://localhost:${bound.port}`;
    return this.address;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url!, this.address);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    try {
      const answer = url.pathname.startsWith("/session/")
        ? await this.session(request, url, text, response)
        : url.pathname.startsWith("/dev/")
          ? await answerDev(this, request.method!, url, text)
          : file(url.pathname);
      if (answer === null) return void response.destroy();
      write(response, answer);
    } catch (error) {
      console.error(error);
      write(response, { status: 500, body: { status: "failure", error: "internal", message: "Internal error" } });
    }
  }

  private async session(request: IncomingMessage, url: URL, text: string, response: ServerResponse): Promise<Answer | null> {
    const method = request.method!;
    const path = url.pathname.slice("/session".length);
    const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    const world = this.find(request, path, body);
    if (!world) return failure(404, "session_not_found");
    world.requests.push({ method, path });
    const fault = takeFault(world, path);
    if (fault?.delay) await new Promise((resolve) => setTimeout(resolve, fault.delay));
    if (fault?.status) return failure(fault.status, fault.error ?? "internal", fault.retry_after === undefined ? {} : { retry_after: fault.retry_after }, world);
    const answer = await this.guarded(world, { method, path, url, text, body, request, response });
    if (!fault?.cut) return answer;
    // Without a beginning Chromium would ask again by itself.
    response.writeHead(answer.status, { "Content-Type": "application/json", "Content-Length": "4096" });
    response.write("{");
    await new Promise((resolve) => setTimeout(resolve, 20));
    return null;
  }

  /** By the header's name, and links by their secret. */
  private find(request: IncomingMessage, path: string, body: Record<string, unknown>): World | undefined {
    if (path.startsWith("/link")) return [...this.worlds.values()].find(({ link }) => link.secret === body.secret);
    return this.worlds.get(String(request.headers["candado-session"]));
  }

  private async guarded(world: World, asked: Asked): Promise<Answer> {
    const { method, path, request, body } = asked;
    const { session } = world;
    const cookie = `__Host-candado-${session.id}`;
    const held = Object.fromEntries((request.headers.cookie ?? "").split("; ").map((pair) => pair.split(/=(.*)/s)))[cookie] as string | undefined;
    if (method !== "GET" && request.headers.origin !== this.address) return failure(403, "wrong_origin");
    const isLink = path.startsWith("/link");
    const opens = path === "/open" || path === "/link/continue";
    const ended = () => ({ ended: { ...surroundings(world), redirect: redirect(world, { error: "expired" }) } });
    if (!isLink && session.ended) return failure(410, "session_ended", { ended: { ...surroundings(world), redirect: null } });
    if (!isLink && endsAt(world) <= now(world)) return failure(410, "session_expired", ended());
    if (path === "/open" && body.secret !== session.secret) return failure(404, "session_not_found");
    if (opens) {
      if (session.browser !== null && held !== session.browser) return failure(403, "other_browser", { ended: { ...surroundings(world), redirect: null } });
    } else if (!isLink && (session.browser === null || held !== session.browser)) {
      return failure(403, "other_browser", { ended: { ...surroundings(world), redirect: null } });
    }
    if (method === "GET") return this.state(world, asked);
    // Looking at a link is no press.
    if (!isLink || opens) session.touched_at = now(world);
    if (path === "/open") return withCookie(world, cookie, { status: 200, body: viewOf(world) });
    const answer = this.once(world, asked);
    return path === "/link/continue" && answer.status === 200 ? withCookie(world, cookie, answer) : answer;
  }

  /** With `since` it waits until there is news. */
  private async state(world: World, { path, url, request }: Asked): Promise<Answer> {
    if (path !== "/state") return failure(404, "not_found");
    const since = url.searchParams.get("since");
    const until = Date.now() + Number(url.searchParams.get("wait") ?? 0) * 1000;
    while (since !== null && viewOf(world).revision === since && Date.now() < until && !request.destroyed) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const added = since === null ? null : world.user.ways.find((way) => way.type === "push" && way.added_here && way.state === "active");
    return { status: 200, body: viewOf(world, added?.id ?? null) };
  }

  /** The same key with the same body gets the first answer again. */
  private once(world: World, { method, path, body, text, request }: Asked): Answer {
    const key = `${world.session.id} ${String(request.headers["idempotency-key"])}`;
    if (!request.headers["idempotency-key"]) return failure(400, "invalid_request", { field: "Idempotency-Key" }, world);
    const kept = this.kept.get(key);
    if (kept) return kept.body === `${method} ${path} ${text}` ? kept.answer : failure(422, "idempotency_key_reused", {}, world);
    const found = endpointOf(method, path);
    if (!found) return failure(404, "not_found", {}, world);
    const call: Call = { world, body, origin: this.address, userAgent: request.headers["user-agent"] ?? "", id: found.id };
    let answer: Answer;
    try {
      answer = { status: 200, body: found.endpoint(call) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer = failure(error.status, error.error, error.more, path.startsWith("/link") ? undefined : world);
    }
    if (answer.status !== 429 && answer.status < 500) this.kept.set(key, { body: `${method} ${path} ${text}`, answer });
    return answer;
  }
}

interface Asked {
  method: string;
  path: string;
  url: URL;
  text: string;
  body: Record<string, unknown>;
  request: IncomingMessage;
  response: ServerResponse;
}

function endpointOf(method: string, path: string) {
  const exact = endpoints.get(`${method} ${path}`);
  if (exact) return { endpoint: exact, id: "" };
  const slash = path.lastIndexOf("/");
  const endpoint = endpoints.get(`${method} ${path.slice(0, slash)}/:id`);
  return endpoint && { endpoint, id: decodeURIComponent(path.slice(slash + 1)) };
}

function takeFault(world: World, path: string) {
  const fault = world.faults.find((one) => one.path === undefined || one.path === path);
  if (!fault) return undefined;
  fault.times = (fault.times ?? 1) - 1;
  if (fault.times <= 0) world.faults.splice(world.faults.indexOf(fault), 1);
  return fault;
}

function withCookie(world: World, name: string, answer: Answer): Answer {
  world.session.browser ??= newToken(24);
  return { ...answer, headers: { "Set-Cookie": `${name}=${world.session.browser}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600` } };
}

function failure(status: number, error: string, more: object = {}, world?: World): Answer {
  const retry = (more as { retry_after?: number }).retry_after;
  return {
    status,
    ...(retry !== undefined && { headers: { "Retry-After": String(retry) } }),
    body: { status: "failure", error, message: error, documentation_url: `/docs/errors#${error}`, ...more, ...(world && { view: viewOf(world) }) },
  };
}

function file(path: string): Answer {
  const name = path === "/session" || path === "/console" ? `${path}.html` : normalize(path);
  const rule = Object.keys(headers).find((pattern) => (pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : pattern === path));
  try {
    return { status: 200, headers: { ...(rule && headers[rule]), "Content-Type": types[extname(name)] ?? "application/octet-stream" }, body: readFileSync(join(dist, name)) };
  } catch {
    return { status: 404, body: "Not found" };
  }
}

function write(response: ServerResponse, { status, headers: fields = {}, body }: Answer) {
  const raw = typeof body === "string" || Buffer.isBuffer(body);
  const json = raw ? {} : { "Content-Type": "application/json", "Cache-Control": "no-store" };
  response.writeHead(status, { ...json, ...fields });
  response.end(raw ? body : JSON.stringify(body));
}

