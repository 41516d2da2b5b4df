// One request to the admin API. The token lives in this object's private field and nowhere else: no storage, no address,
// no cookie, and nothing that a log or an inspector of objects prints (ATK-107).

/** Milliseconds after which no answer is awaited any more. */
const GIVE_UP = 20_000;

export type Verb = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export type Query = Record<string, string | number | null | undefined>;

export interface Options {
  query?: Query;
  body?: object;
  signal?: AbortSignal;
}

/**
 * Why a request did not succeed. `code` is the service's, or one of ours: `offline`, `unavailable` (no answer that can
 * be read), `aborted`.
 */
export class Failure extends Error {
  readonly code: string;
  /** Of the HTTP answer; 0 where there was none. */
  readonly status: number;
  /** What the service says, in English. */
  readonly told: string | null;
  readonly field: string | null;
  readonly retryAfter: number | null;

  constructor(code: string, status = 0, body: Record<string, unknown> = {}) {
    super(code);
    this.code = code;
    this.status = status;
    this.told = typeof body.message === "string" ? body.message : null;
    this.field = typeof body.field === "string" ? body.field : null;
    this.retryAfter = typeof body.retry_after === "number" ? body.retry_after : null;
  }
}

/** A path with everything that stands in it taken as text: an id may have any printable character. */
export const at = (strings: TemplateStringsArray, ...values: string[]) =>
  strings.reduce((path, text, index) => path + encodeURIComponent(values[index - 1] ?? "") + text);

/** What a header can carry: anything else is no token. */
const canBeSent = (token: string) => /^[\x21-\x7e]+$/.test(token);

export class Api {
  #token: string | null = null;
  /** Ends everything that is under way when the operator leaves. */
  #alive = new AbortController();
  /** Called when the service does not know the token any more. */
  onRefused = () => {};

  /** Tries a token, and keeps it if the service knows it. */
  async enter(token: string): Promise<void> {
    if (!canBeSent(token)) throw new Failure("invalid_token", 401);
    this.#alive = new AbortController();
    this.#token = token;
    try {
      await this.#request("GET", "/admin/clients", {});
    } catch (failure) {
      this.#token = null;
      throw failure;
    }
  }

  leave() {
    this.#token = null;
    this.#alive.abort();
  }

  get isOpen() {
    return this.#token !== null;
  }

  async call<Answer>(method: Verb, path: string, options: Options = {}): Promise<Answer> {
    const text = await this.text(method, path, options);
    if (text.body === "") return undefined as Answer;
    try {
      return JSON.parse(text.body) as Answer;
    } catch {
      throw new Failure("unavailable");
    }
  }

  /** The answer as it came, with the address of the next page where there is one. */
  async text(method: Verb, path: string, options: Options = {}): Promise<{ body: string; next: string | null }> {
    try {
      return await this.#request(method, path, options);
    } catch (error) {
      if (error instanceof Failure && error.status === 401 && this.isOpen) this.onRefused();
      throw error;
    }
  }

  async #request(method: Verb, path: string, { query = {}, body, signal }: Options) {
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== "") asked.set(name, String(value));
    const headers: Record<string, string> = { Accept: "application/json, text/csv, application/x-ndjson", Authorization: `Bearer ${this.#token}` };
    if (body) headers["Content-Type"] = "application/json";
    const ends = [this.#alive.signal, AbortSignal.timeout(GIVE_UP), ...(signal ? [signal] : [])];
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${path}${asked.size > 0 ? `?${asked}` : ""}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
        credentials: "omit",
        cache: "no-store",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.any(ends),
      });
      text = await response.text();
    } catch {
      if (signal?.aborted || this.#alive.signal.aborted) throw new Failure("aborted");
      throw new Failure(navigator.onLine ? "unavailable" : "offline");
    }
    if (response.ok) return { body: text, next: nextOf(response.headers.get("Link")) };
    throw failureOf(response.status, text);
  }
}

function failureOf(status: number, text: string): Failure {
  try {
    const body = JSON.parse(text) as Record<string, unknown>;
    if (typeof body.error === "string") return new Failure(body.error, status, body);
  } catch {
    // A proxy's error page is no answer of the service.
  }
  return new Failure("unavailable", status);
}

/** Only a page of the record on this origin: an answer sends the token nowhere else. */
export function nextOf(link: string | null): string | null {
  const address = link?.match(/^<(\/admin\/[^>]*)>; rel="next"/)?.[1];
  return address ?? null;
}
