// One request, one answer.
import type { Deadline } from "./deadline.js";
import { CandadoError, errorOf } from "./errors.js";

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

export interface Request {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With its query, after the service's address. */
  path: string;
  body?: object;
}

/**
 * When an error is worth another try. The service answers `rate_limited` before it has done anything. A 503 may come
 * when half of it is done, so only what changes nothing is tried again. What sends messages never is.
 */
export type Retry = "always" | "if-refused" | "never";

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
    retry: Retry,
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
        throw deadline.explain(thrown);
      }
      // An API key that was refused is refused again.
      const renews = token !== undefined && !token.startsWith("cdo_");
      if (error.code === "invalid_token" && renews && refusedToken === undefined) {
        refusedToken = token;
        continue;
      }
      const pause = (error.retryAfter ?? 1) * 1000;
      if (tries++ === RETRIES || !isWorthRetrying(error, retry) || !deadline.allows(pause)) throw error;
      await deadline.sleep(pause).catch((thrown: unknown) => {
        throw deadline.explain(thrown);
      });
    }
  }

  async #send(
    { method, path, body }: Request,
    token: string | undefined,
    { signal }: Deadline,
  ): Promise<Record<string, unknown> | CandadoError> {
    const headers = new Headers({ Accept: "application/json" });
    if (body) headers.set("Content-Type", "application/json");
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

function isWorthRetrying(error: CandadoError, retry: Retry): boolean {
  if (retry === "never") return false;
  if (error.code === "rate_limited") return true;
  return retry === "always" && error.status === 503 && error.retryAfter !== undefined;
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
