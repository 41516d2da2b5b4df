export {
  Candado,
  type CandadoOptions,
  type ClientOptions,
  type FromEnvOptions,
  type KeyOptions,
  type SecretOptions,
} from "./client.js";
export {
  AuthenticationError,
  CandadoError,
  CodeRefused,
  ConflictError,
  DeliveryError,
  type ErrorCode,
  type ErrorDetails,
  ForbiddenError,
  InvalidRequestError,
  LockedError,
  NotFoundError,
  RateLimitedError,
  type RefusalCode,
  UnavailableError,
} from "./errors.js";
export type { Fetch } from "./exchange.js";
export type * from "./types.js";
