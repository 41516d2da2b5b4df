/** Why nobody gets in with the code that was typed. */
export type RefusalCode = "invalid_code" | "invalid_credential" | "code_already_used" | "locked" | "factor_disabled";

/** The `error` of the service's answers, and what only this client can say. */
export type KnownErrorCode =
  | RefusalCode
  | "account_limit_reached"
  | "already_registered"
  | "channel_not_configured"
  | "client_exists"
  | "client_mismatch"
  | "delivery_failed"
  | "delivery_unavailable"
  | "destination_missing"
  | "destination_not_allowed"
  | "factor_limit_reached"
  | "https_required"
  | "idempotency_key_reused"
  | "insufficient_scope"
  | "internal"
  | "invalid_client"
  | "invalid_request"
  | "invalid_scope"
  | "invalid_token"
  | "key_limit_reached"
  | "last_factor"
  | "method_not_allowed"
  | "mfa_not_enabled"
  | "name_taken"
  | "not_found"
  | "not_trusted"
  | "not_now"
  | "other_browser"
  | "outcome_unknown"
  | "payload_too_large"
  | "rate_limited"
  | "request_in_progress"
  | "send_limited"
  | "session_ended"
  | "session_expired"
  | "session_not_found"
  | "step_up_required"
  | "unavailable"
  | "unsupported_grant_type"
  | "unsupported_media_type"
  | "user_not_found"
  | "wrong_origin"
  /** There was no answer (`status` is 0): the service could not be reached … */
  | "unreachable"
  /** … or not within `timeoutMs`. */
  | "timeout"
  /** The answer is not the service's, for example a proxy's error page. */
  | "unexpected_response";

/** A later service may have new ones. */
export type ErrorCode = KnownErrorCode | (string & {});

export interface ErrorDetails {
  status: number;
  code: ErrorCode;
  message: string;
  field?: string | undefined;
  reason?: string | undefined;
  attemptsRemaining?: number | undefined;
  retryAfter?: number | undefined;
  documentationUrl?: string | undefined;
  requestId?: string | undefined;
  cause?: unknown;
}

/** Everything the service refuses, and every way to get no answer from it. */
export class CandadoError extends Error {
  override readonly name: string = "CandadoError";
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** What programs decide by. `message` is for people who read logs. */
  readonly code: ErrorCode;
  /** The field of the request that is wrong. */
  readonly field: string | undefined;
  /** What is wrong with a passkey's answer. */
  readonly reason: string | undefined;
  /** How many wrong codes are left before a lock. */
  readonly attemptsRemaining: number | undefined;
  /** Seconds to wait before trying again. */
  readonly retryAfter: number | undefined;
  /** The page that explains this error. */
  readonly documentationUrl: string | undefined;
  /** What the service's log and its record of events know the request by. */
  readonly requestId: string | undefined;

  constructor(details: ErrorDetails) {
    super(details.message, "cause" in details ? { cause: details.cause } : undefined);
    this.status = details.status;
    this.code = details.code;
    this.field = details.field;
    this.reason = details.reason;
    this.attemptsRemaining = details.attemptsRemaining;
    this.retryAfter = details.retryAfter;
    this.documentationUrl = details.documentationUrl;
    this.requestId = details.requestId;
  }
}

/**
 * Nobody gets in with this code: it is wrong or has expired (`invalid_code`), was used before (`code_already_used`),
 * is a passkey's answer that is not good (`invalid_credential`, for its `reason`),
 * or no code is looked at (`locked`, `factor_disabled`). Tell the user, and ask again.
 */
export class CodeRefused extends CandadoError {
  override readonly name: string = "CodeRefused";
  declare readonly code: RefusalCode;
}

/** Too many wrong codes: wait `retryAfter` seconds. Says nothing about the code that was sent along. */
export class LockedError extends CodeRefused {
  override readonly name = "LockedError";
  declare readonly code: "locked";
}

/** Too many requests or messages: wait `retryAfter` seconds. */
export class RateLimitedError extends CandadoError {
  override readonly name = "RateLimitedError";
}

/** A message cannot be sent: there is no address on file or not an allowed one, or the provider fails. */
export class DeliveryError extends CandadoError {
  override readonly name = "DeliveryError";
}

/** The client id or secret is wrong, or the client is disabled. */
export class AuthenticationError extends CandadoError {
  override readonly name = "AuthenticationError";
}

/** This client may not do this, or not without a fresh code of the user's (`step_up_required`). */
export class ForbiddenError extends CandadoError {
  override readonly name = "ForbiddenError";
}

/** This client has no such user. */
export class NotFoundError extends CandadoError {
  override readonly name = "NotFoundError";
}

/** The user's MFA is on already (`already_registered`), or is not on (`mfa_not_enabled`). */
export class ConflictError extends CandadoError {
  override readonly name = "ConflictError";
}

/** The request is malformed; `field` says where. */
export class InvalidRequestError extends CandadoError {
  override readonly name = "InvalidRequestError";
}

/** The service is out of reach or fails, or something else answered in its place. Let nobody in; try again later. */
export class UnavailableError extends CandadoError {
  override readonly name = "UnavailableError";
}

type Kind = new (details: ErrorDetails) => CandadoError;

const kinds = new Map<ErrorCode, Kind>([
  ["invalid_code", CodeRefused],
  ["invalid_credential", CodeRefused],
  ["code_already_used", CodeRefused],
  ["factor_disabled", CodeRefused],
  ["locked", LockedError],
  ["channel_not_configured", DeliveryError],
  ["delivery_failed", DeliveryError],
  ["delivery_unavailable", DeliveryError],
  ["destination_missing", DeliveryError],
  ["destination_not_allowed", DeliveryError],
  ["unexpected_response", UnavailableError],
]);

const kindsByStatus = new Map<number, Kind>([
  [401, AuthenticationError],
  [403, ForbiddenError],
  [404, NotFoundError],
  [409, ConflictError],
  [429, RateLimitedError],
]);

/** The error as one of its kind; the status tells it for a code this client does not know. */
export function errorOf(details: ErrorDetails): CandadoError {
  const { code, status } = details;
  const otherwise = status >= 400 && status < 500 ? InvalidRequestError : UnavailableError;
  const Kind = kinds.get(code) ?? kindsByStatus.get(status) ?? otherwise;
  return new Kind(details);
}
