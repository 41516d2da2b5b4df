import { Deadline } from "./deadline.js";
import { UnavailableError } from "./errors.js";
import type { Exchange } from "./exchange.js";

interface Token {
  value: string;
  /** When it is replaced, which is a minute or a tenth of its life before it expires. */
  staleAt: number;
}

/** The access token: asked for once by all calls that need it, kept until shortly before it expires. */
export class Tokens {
  readonly #exchange: Exchange;
  readonly #credentials: { client_id: string; client_secret: string };
  readonly #timeoutMs: number;
  #token: Token | undefined;
  #pending: { token: Promise<Token>; since: number } | undefined;

  constructor(exchange: Exchange, clientId: string, clientSecret: string, timeoutMs: number) {
    this.#exchange = exchange;
    this.#credentials = { client_id: clientId, client_secret: clientSecret };
    this.#timeoutMs = timeoutMs;
  }

  /** A token that is good for now, and not `refused`. */
  async get(deadline: Deadline, refused?: string): Promise<string> {
    if (this.#token?.value === refused) this.#token = undefined;
    if (this.#token && Date.now() < this.#token.staleAt) return this.#token.value;
    try {
      return (await deadline.settled(this.#renewed())).value;
    } catch (thrown) {
      throw deadline.explain(thrown);
    }
  }

  /** The token there is or will be in a moment; it is not kept any longer. */
  async take(deadline: Deadline): Promise<string | undefined> {
    const token = this.#pending ? await deadline.settled(this.#pending.token) : this.#token;
    this.#token = undefined;
    return token?.value;
  }

  #renewed(): Promise<Token> {
    // On Workers a request that ends takes its fetches along, and they never settle: not to be waited for for ever.
    const alive = this.#pending && Date.now() - this.#pending.since < this.#timeoutMs;
    if (this.#pending && alive) return this.#pending.token;
    const pending = { token: this.#request(), since: Date.now() };
    this.#pending = pending;
    const done = () => {
      if (this.#pending === pending) this.#pending = undefined;
    };
    pending.token.then(done, done);
    return pending.token;
  }

  async #request(): Promise<Token> {
    const asked = Date.now();
    // A time of its own: whoever asked first may give up, the others still wait for it.
    const deadline = new Deadline(this.#timeoutMs);
    const answer = await this.#exchange.call({ method: "POST", path: "/auth", body: this.#credentials }, deadline);
    const { access_token: value, expires_in: lifetime } = answer;
    if (typeof value !== "string" || typeof lifetime !== "number") {
      throw new UnavailableError({ status: 200, code: "unexpected_response", message: "The answer of /auth has no token" });
    }
    const margin = Math.min(60, lifetime / 10);
    this.#token = { value, staleAt: asked + (lifetime - margin) * 1000 };
    return this.#token;
  }
}
