import { CandadoError, UnavailableError } from "./errors.js";

/** The time one call may take, and the caller's wish to give it up. */
export class Deadline {
  readonly signal: AbortSignal;
  readonly #ends: number;
  readonly #timeout: AbortSignal;

  constructor(timeoutMs: number, caller?: AbortSignal) {
    this.#ends = Date.now() + timeoutMs;
    this.#timeout = AbortSignal.timeout(timeoutMs);
    this.signal = caller ? AbortSignal.any([caller, this.#timeout]) : this.#timeout;
  }

  allows(milliseconds: number): boolean {
    return Date.now() + milliseconds < this.#ends;
  }

  /** Waits for what goes on whether or not this call does. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    return new Promise<T>((resolve, reject) => {
      const stop = () => reject(signal.reason);
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
    });
  }

  async sleep(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const slept = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await this.settled(slept).finally(() => clearTimeout(timer));
  }

  /** What to throw for something that ended a call without an answer. */
  explain(thrown: unknown): unknown {
    if (thrown instanceof CandadoError) return thrown;
    const { signal } = this;
    if (signal.aborted && signal.reason !== this.#timeout.reason) return signal.reason;
    if (signal.aborted) {
      return new UnavailableError({ status: 0, code: "timeout", message: "No answer in time", cause: thrown });
    }
    return new UnavailableError({ status: 0, code: "unreachable", message: "The service is out of reach", cause: thrown });
  }
}
