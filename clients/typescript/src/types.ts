// Everything here follows the generated schema.d.ts; nothing repeats a field.
import type { Camel } from "./names.js";
import type { paths } from "./schema.js";

type Post<Path extends keyof paths> = paths[Path] extends { post: infer Operation } ? Operation : never;
type Get<Path extends keyof paths> = paths[Path] extends { get: infer Operation } ? Operation : never;

type Fields<Operation> = Operation extends { requestBody?: { content: { "application/json": infer Body } } }
  ? Body
  : never;
type Answer<Operation> = Operation extends {
  responses: { 200: { content: { "application/json": infer Body } } };
}
  ? Body
  : never;

export interface CallOptions {
  /** Gives the call up; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What a request has beside the user and the client, which the client fills in. */
type Options<Operation, Taken extends string = never> = Camel<
  Omit<Fields<Operation>, "user_id" | "client_id" | Taken>
> &
  CallOptions;
/** What an answer says beside that it is one. */
type Result<Operation> = Camel<Omit<Answer<Operation>, "status" | "message">>;

export interface RegisterOptions extends Options<Post<"/mfa/register">> {}
export interface RenewOptions extends Options<Post<"/mfa/renew">> {}
export interface VerifyOptions extends Options<Post<"/mfa/verify">, "code"> {}
export interface SendOptions extends Options<Post<"/mfa/sms">> {}
export interface RecoverOptions extends Options<Post<"/mfa/recovery">, "recovery_method"> {}
export interface RecoveryCodesOptions extends Options<Post<"/mfa/recovery-codes">> {}
/** What is left out stays; `null` removes it. */
export interface ContactOptions extends Options<Post<"/mfa/contact">> {}
export interface DisableOptions extends Options<Post<"/mfa/disable">> {}
export interface DeleteOptions extends CallOptions {
  /** A fresh code, if the client's policy asks for one. */
  code?: string;
}
type ImportFields = Options<Post<"/mfa/import">>;
/** The secret as base32, or an otpauth URL, which says by itself how its codes are made. */
export type ImportOptions =
  | (Omit<ImportFields, "secret" | "otpauthUrl"> & { secret: string; otpauthUrl?: never })
  | (Omit<ImportFields, "secret" | "otpauthUrl" | "algorithm" | "digits" | "period"> & { secret?: never; otpauthUrl: string });

/** Times are Unix seconds. */
export interface Enrolment extends Result<Post<"/mfa/register">> {}
export interface SentCode extends Result<Post<"/mfa/sms">> {}
export interface GeneratedCode extends Result<Post<"/mfa/generate">> {}
export interface SentRecovery extends Result<Post<"/mfa/recovery">> {}
export interface RecoveryCodes extends Result<Post<"/mfa/recovery-codes">> {}
/** Masked, to be shown to the user. */
export interface Contact extends Result<Post<"/mfa/contact">> {}
/** Times are Unix seconds. */
export interface Status extends Result<Get<"/mfa/status">> {}

/** How a code was proved. `recovery` and `recovery_code` are no equals of the others: let the user bind anew. */
export type Method = Answer<Post<"/mfa/verify">>["method"];
export type RecoveryMethod = Fields<Post<"/mfa/recovery">>["recovery_method"];

export type RefusalReason = "invalid_code" | "code_already_used" | "locked" | "factor_disabled";

export interface Accepted {
  ok: true;
  method: Method;
}

export interface Refused {
  ok: false;
  reason: RefusalReason;
  /** Wrong codes left until the user is locked. */
  attemptsRemaining?: number;
  /** Seconds until a next try makes sense. */
  retryAfter?: number;
}

/** An object either way, so look at `ok`: `if (await mfa.verify(…))` would let everybody in. */
export type VerifyResult = Accepted | Refused;
