// One request to the service, and what can become of it. No state, no retries.
import type { ErrorBody } from "./protocol.ts";

/** After that the page says that it takes long; after GIVE_UP it stops waiting. Milliseconds. */
export const SLOW = 5_000;
const GIVE_UP = 10_000;

export type Verb = "GET" | "POST" | "PATCH" | "DELETE";

export interface Request {
  method: Verb;
  /** Below `/session`. */
  path: string;
  body?: object;
  /** One for each press: sent again after a cut connection it asks for the first answer, not for a second change. */
  key?: string;
  /** How long the service may hold the answer back, beside GIVE_UP. Milliseconds. */
  wait?: number;
  signal?: AbortSignal;
}

/**
 * Why a request did not succeed. `code` is the service's, or one of ours: `offline` (nothing was sent), `unavailable`
 * (no answer, or none that can be read: what the request did is not known), `aborted`.
 */
export class Failure extends Error {
  readonly code: string;
  readonly body: Partial<ErrorBody>;
  /** By this browser's clock, in milliseconds. */
  readonly at = Date.now();

  constructor(code: string, body: Partial<ErrorBody> = {}) {
    super(code);
    this.code = code;
    this.body = body;
  }

  /** Whether the service may have done what was asked without our having heard of it. */
  get uncertain() {
    return this.code === "unavailable";
  }
}

export interface Address {
  /** What stands before `/session`; empty for the page itself. */
  base: string;
  sessionId: string | null;
}

export async function call<Answer>({ base, sessionId }: Address, request: Request): Promise<Answer> {
  const { method, path, body, key, wait = 0, signal } = request;
  const headers: Record<string, string> = { Accept: "application/json" };
  // Names the session among those whose cookies this browser has. A page of another origin cannot set it.
  if (sessionId) headers["Candado-Session"] = sessionId;
  if (body) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;

  const patience = AbortSignal.timeout(GIVE_UP + wait);
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(`${base}/session${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
    answer = await response.json();
  } catch {
    if (signal?.aborted) throw new Failure("aborted");
    throw new Failure(navigator.onLine ? "unavailable" : "offline");
  }
  if (response.ok) return answer as Answer;
  const failure = answer as ErrorBody;
  // A proxy's error page is no answer of the service.
  if (typeof failure?.error !== "string" || failure.error === "internal") throw new Failure("unavailable");
  throw new Failure(failure.error, failure);
}
