// One request, one answer.
import type { Deadline } from "./deadline.js";
import { CandadoError, errorOf } from "./errors.js";

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

export interface Request {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With its query, after the service's address. */
  path: string;
  body?: object;
  /** Names the request, so that it takes effect once however often it is sent. What changes something has one. */
  idempotencyKey?: string;
}

const RETRIES = 2;

export class Exchange {
  readonly #baseUrl: string;
  readonly #fetch: Fetch;

  constructor(baseUrl: string, fetch: Fetch) {
    this.#baseUrl = baseUrl;
    this.#fetch = fetch;
  }

  /** The answer's JSON. `authorization` is asked before each try, and told when its answer was refused. */
  async call(
    request: Request,
    deadline: Deadline,
    authorization?: (refused?: string) => Promise<string>,
  ): Promise<Record<string, unknown>> {
    let refusedToken: string | undefined;
    for (let tries = 0; ; ) {
      const token = await authorization?.(refusedToken);
      let error: CandadoError;
      try {
        const answer = await this.#send(request, token, deadline);
        if (!(answer instanceof CandadoError)) return answer;
        error = answer;
      } catch (thrown) {
        const explained = deadline.explain(thrown);
        if (!(explained instanceof CandadoError)) throw explained;
        error = explained;
      }
      // An API key that was refused is refused again.
      const renews = token !== undefined && !token.startsWith("cdo_");
      if (error.code === "invalid_token" && renews && refusedToken === undefined) {
        refusedToken = token;
        continue;
      }
      const pause = (error.retryAfter ?? 1) * 1000;
      if (tries++ === RETRIES || !isWorthRetrying(error) || !deadline.allows(pause)) throw error;
      await deadline.sleep(pause).catch((thrown: unknown) => {
        throw deadline.explain(thrown);
      });
    }
  }

  async #send(
    { method, path, body, idempotencyKey }: Request,
    token: string | undefined,
    { signal }: Deadline,
  ): Promise<Record<string, unknown> | CandadoError> {
    const headers = new Headers({ Accept: "application/json" });
    if (body) headers.set("Content-Type", "application/json");
    if (idempotencyKey) headers.set("Idempotency-Key", idempotencyKey);
    if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
    const response = await this.#fetch(`${this.#baseUrl}${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
      // The service does not redirect, and a secret must not follow whatever does.
      redirect: "manual",
      signal,
    });
    const text = await response.text();
    if (response.status === 204) return {};
    const answer = parsed(text);
    return response.ok && answer ? answer : failure(response, answer);
  }
}

/** Whether the same request may have another answer in a moment. That it takes effect once is its key's to see to. */
function isWorthRetrying({ code, status, retryAfter }: CandadoError): boolean {
  if (["rate_limited", "request_in_progress", "unreachable"].includes(code)) return true;
  // A provider that fails is its application's to know of: another channel may be better than another try.
  return status === 503 && retryAfter !== undefined && code !== "delivery_unavailable";
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function failure(response: Response, answer: Record<string, unknown> = {}): CandadoError {
  const text = (name: string) => (typeof answer[name] === "string" ? answer[name] : undefined);
  const number = (name: string) => (typeof answer[name] === "number" ? answer[name] : undefined);
  return errorOf({
    status: response.status,
    code: text("error") ?? "unexpected_response",
    message: text("message") ?? `Unexpected answer with status ${response.status}`,
    field: text("field"),
    reason: text("reason"),
    attemptsRemaining: number("attempts_remaining"),
    retryAfter: number("retry_after") ?? secondsUntil(response.headers.get("Retry-After")),
    documentationUrl: text("documentation_url"),
    requestId: response.headers.get("X-Request-Id") ?? undefined,
  });
}

/** `Retry-After` is a number of seconds or a date (RFC 9110 §10.2.3). */
function secondsUntil(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}
