import type { components } from "./schema.js";

/** The `error` of the service's answers, and what only this client can say. New ones may be added. */
export type ErrorCode =
  | components["schemas"]["Error"]["error"]
  /** There was no answer (`status` is 0): the service could not be reached … */
  | "unreachable"
  /** … or not within `timeoutMs`. */
  | "timeout"
  /** The answer is not the service's, for example a proxy's error page. */
  | "unexpected_response"
  | (string & {});

export interface ErrorDetails {
  status: number;
  code: ErrorCode;
  message: string;
  field?: string | undefined;
  attemptsRemaining?: number | undefined;
  retryAfter?: number | undefined;
  requestId?: string | undefined;
  cause?: unknown;
}

/** Everything the service refuses, and every way not to reach it. */
export class CandadoError extends Error {
  override readonly name = "CandadoError";
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** What programs decide by. `message` is for people. */
  readonly code: ErrorCode;
  /** The field of the request that is wrong. */
  readonly field: string | undefined;
  /** Wrong codes left until the user is locked. */
  readonly attemptsRemaining: number | undefined;
  /** Seconds to wait before trying again. */
  readonly retryAfter: number | undefined;
  /** What the service's log and audit trail know the request by. */
  readonly requestId: string | undefined;

  constructor(details: ErrorDetails) {
    super(details.message, "cause" in details ? { cause: details.cause } : undefined);
    this.status = details.status;
    this.code = details.code;
    this.field = details.field;
    this.attemptsRemaining = details.attemptsRemaining;
    this.retryAfter = details.retryAfter;
    this.requestId = details.requestId;
  }
}
