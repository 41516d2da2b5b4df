// A stand-in for the service: answers in order, and what was asked.
import { Candado, type Fetch, type SecretOptions } from "../src/index.js";

export interface Asked {
  method: string;
  path: string;
  authorization: string | null;
  idempotencyKey: string | null;
  body: unknown;
  signal: AbortSignal;
}

export type Answer = (asked: Asked) => Response | Promise<Response>;

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return () => Response.json(body, { status, headers: { "X-Request-Id": "r1", ...headers } });
}

export function failure(status: number, error: string, more: Record<string, unknown> = {}): Answer {
  const seconds = more["retry_after"];
  const headers: Record<string, string> = seconds === undefined ? {} : { "Retry-After": String(seconds) };
  return json(status, { status: "failure", error, message: `About ${error}`, ...more }, headers);
}

export const success = json(200, { status: "success", message: "Done" });
export const unauthorized = failure(401, "invalid_token");

/** Never answers; ends when it is given up. */
export const silence: Answer = ({ signal }) =>
  new Promise((_, reject) => {
    // As a socket does, this keeps the process alive.
    const open = setTimeout(() => {}, 60_000);
    const end = () => (clearTimeout(open), reject(signal.reason));
    signal.addEventListener("abort", end, { once: true });
  });

export class Service {
  readonly asked: Asked[] = [];
  readonly #answers: Answer[] = [];
  readonly #auth: Answer[] = [];
  #tokens = 0;

  /** Gives the answers of everything but /auth. */
  answers(...answers: Answer[]): this {
    this.#answers.push(...answers);
    return this;
  }

  /** Gives answers of /auth, in place of tokens t1, t2, … that live an hour. */
  authAnswers(...answers: Answer[]): this {
    this.#auth.push(...answers);
    return this;
  }

  readonly fetch: Fetch = async (input, init = {}) => {
    const url = new URL(input);
    const asked: Asked = {
      method: init.method ?? "GET",
      path: url.pathname + url.search,
      authorization: new Headers(init.headers).get("Authorization"),
      idempotencyKey: new Headers(init.headers).get("Idempotency-Key"),
      body: typeof init.body === "string" ? JSON.parse(init.body) : undefined,
      signal: init.signal!,
    };
    this.asked.push(asked);
    if (asked.signal.aborted) throw asked.signal.reason;
    const auth = asked.path.endsWith("/auth");
    const answer = (auth ? this.#auth : this.#answers).shift();
    if (answer) return answer(asked);
    if (auth) return this.token(3600)(asked);
    throw new Error(`No answer for ${asked.method} ${asked.path}`);
  };

  token(lifetime: number): Answer {
    return json(200, { access_token: `t${++this.#tokens}`, token_type: "Bearer", expires_in: lifetime });
  }

  get paths(): string[] {
    return this.asked.map(({ path }) => path);
  }

  client(options: Partial<SecretOptions> = {}): Candado {
    const defaults = { baseUrl: "https://mfa.example.com", clientId: "app123", clientSecret: "secret123" };
    return new Candado({ ...defaults, fetch: this.fetch, ...options });
  }
}
