export { Candado, type CandadoOptions } from "./client.js";
export { CandadoError, type ErrorCode, type ErrorDetails } from "./error.js";
export type { Fetch } from "./exchange.js";
export type * from "./types.js";
