import { Deadline } from "./deadline.js";
import { CandadoError } from "./error.js";
import { Exchange, type Fetch, type Request, type Retry } from "./exchange.js";
import { camelName, renamed, snakeName } from "./names.js";
import { Tokens } from "./tokens.js";
import type {
  CallOptions,
  Contact,
  ContactOptions,
  DeleteOptions,
  DisableOptions,
  Enrolment,
  GeneratedCode,
  ImportOptions,
  Method,
  RecoverOptions,
  RecoveryCodes,
  RecoveryCodesOptions,
  RecoveryMethod,
  Refused,
  RefusalReason,
  RegisterOptions,
  RenewOptions,
  SendOptions,
  SentCode,
  SentRecovery,
  Status,
  VerifyOptions,
  VerifyResult,
} from "./types.js";

export interface CandadoOptions {
  /** The service's address: https, or http on this machine. */
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  /** In place of the global `fetch`. */
  fetch?: Fetch;
  /** What one call may take altogether, with the token it may need and every retry. 15 seconds unless told. */
  timeoutMs?: number;
}

const refusalReasons: readonly string[] = [
  "invalid_code",
  "code_already_used",
  "locked",
  "factor_disabled",
] satisfies RefusalReason[];

/**
 * A client of the service. Make one and keep it: it holds the access token for all its calls, which may run in
 * parallel. Every method throws a {@link CandadoError} for what the service refuses.
 */
export class Candado {
  readonly #exchange: Exchange;
  readonly #tokens: Tokens;
  readonly #timeoutMs: number;

  constructor({ baseUrl, clientId, clientSecret, fetch, timeoutMs = 15_000 }: CandadoOptions) {
    this.#exchange = new Exchange(address(baseUrl), fetch ?? ((input, init) => globalThis.fetch(input, init)));
    this.#tokens = new Tokens(this.#exchange, clientId, clientSecret, timeoutMs);
    this.#timeoutMs = timeoutMs;
  }

  /** Begins to bind an authenticator app: show the QR code, then verify a first code within 10 minutes. */
  async register(userId: string, options: RegisterOptions = {}): Promise<Enrolment> {
    return this.#post<Enrolment>("/mfa/register", userId, options);
  }

  /** Binds a new authenticator app. The present one works until the first code of the new one was verified. */
  async renew(userId: string, options: RenewOptions = {}): Promise<Enrolment> {
    return this.#post<Enrolment>("/mfa/renew", userId, options);
  }

  /**
   * Is this code good? Look at `ok` of the result. White space in the code does not count. Throws for what is not
   * about the code, such as an unknown user.
   */
  async verify(userId: string, code: string, options: VerifyOptions = {}): Promise<VerifyResult> {
    try {
      const fields = { ...options, code: code.replace(/\s/g, "") };
      const { method } = await this.#post<{ method: Method }>("/mfa/verify", userId, fields);
      return { ok: true, method };
    } catch (error) {
      const refused = error instanceof CandadoError ? refusal(error) : undefined;
      if (refused) return refused;
      throw error;
    }
  }

  /** Sends a code to the user's phone. */
  async sendSms(userId: string, options: SendOptions = {}): Promise<SentCode> {
    return this.#post<SentCode>("/mfa/sms", userId, options, "never");
  }

  /** Sends a code to the user's e-mail address. */
  async sendEmail(userId: string, options: SendOptions = {}): Promise<SentCode> {
    return this.#post<SentCode>("/mfa/email", userId, options, "never");
  }

  /** A code for the application to hand over itself. */
  async generate(userId: string, options: CallOptions = {}): Promise<GeneratedCode> {
    return this.#post<GeneratedCode>("/mfa/generate", userId, options);
  }

  /** Sends a recovery code, for who lost the authenticator; `verify` takes it and answers `recovery`. */
  async recover(userId: string, method: RecoveryMethod, options: RecoverOptions = {}): Promise<SentRecovery> {
    const fields = { ...options, recoveryMethod: method };
    return this.#post<SentRecovery>("/mfa/recovery", userId, fields, "never");
  }

  /** Ten new recovery codes, to be shown once. The former ones are dead. */
  async recoveryCodes(userId: string, options: RecoveryCodesOptions = {}): Promise<RecoveryCodes> {
    return this.#post<RecoveryCodes>("/mfa/recovery-codes", userId, options);
  }

  /** What is set up for the user. One the service does not know has the state `none`. */
  async status(userId: string, { signal }: CallOptions = {}): Promise<Status> {
    const query = new URLSearchParams({ user_id: userId });
    return this.#call<Status>({ method: "GET", path: `/mfa/status?${query}` }, "always", signal);
  }

  /** Changes where codes go: what is left out stays, `null` removes it. */
  async setContact(userId: string, options: ContactOptions): Promise<Contact> {
    return this.#post<Contact>("/mfa/contact", userId, options);
  }

  /** Turns MFA off for the user; the recovery codes are gone too. */
  async disable(userId: string, options: DisableOptions = {}): Promise<void> {
    await this.#post<object>("/mfa/disable", userId, options);
  }

  /** Forgets everything about the user. */
  async deleteUser(userId: string, { signal, ...body }: DeleteOptions = {}): Promise<void> {
    const path = `/mfa/users/${encodeURIComponent(userId)}`;
    await this.#call<object>(
      { method: "DELETE", path, ...(body.code !== undefined && { body }) },
      "if-refused",
      signal,
    );
  }

  /** Takes over a secret the user's authenticator app has already. It counts at once. */
  async importFactor(userId: string, options: ImportOptions): Promise<void> {
    await this.#post<object>("/mfa/import", userId, options);
  }

  /** Revokes the access token this client holds, if any. A later call gets a new one. */
  async revoke({ signal }: CallOptions = {}): Promise<void> {
    const deadline = new Deadline(this.#timeoutMs, signal);
    const token = await this.#tokens.take(deadline).catch((thrown: unknown) => {
      throw deadline.explain(thrown);
    });
    if (token === undefined) return;
    const body = { access_token: token };
    await this.#exchange.call({ method: "POST", path: "/auth/revoke", body }, "always", deadline);
  }

  async #post<T>(
    path: string,
    userId: string,
    { signal, ...fields }: CallOptions,
    retry: Retry = "if-refused",
  ): Promise<T> {
    const body = renamed({ userId, ...fields }, snakeName);
    return this.#call<T>({ method: "POST", path, body }, retry, signal);
  }

  async #call<T>(request: Request, retry: Retry, signal: AbortSignal | undefined): Promise<T> {
    const deadline = new Deadline(this.#timeoutMs, signal);
    const token = (refused?: string) => this.#tokens.get(deadline, refused);
    const { status, message, ...answer } = await this.#exchange.call(request, retry, deadline, token);
    return renamed(answer, camelName) as T;
  }
}

/** The service's address without a slash at its end. Anybody on the way could read a secret sent by plain http. */
function address(baseUrl: string): string {
  const { protocol, hostname, username, search, hash } = new URL(baseUrl);
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  if (protocol !== "https:" && !(protocol === "http:" && local)) {
    throw new TypeError("baseUrl must begin with https://, or with http:// on this machine");
  }
  if (username || search || hash) throw new TypeError("baseUrl is an address without user, query and fragment");
  return baseUrl.replace(/\/+$/, "");
}

function refusal({ code, field, attemptsRemaining, retryAfter }: CandadoError): Refused | undefined {
  // What has not the form of a code is a wrong code to the user who typed it. It cost no attempt.
  const reason = code === "invalid_request" && field === "code" ? "invalid_code" : code;
  if (!refusalReasons.includes(reason)) return undefined;
  return {
    ok: false,
    reason: reason as RefusalReason,
    ...(attemptsRemaining !== undefined && { attemptsRemaining }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
}
