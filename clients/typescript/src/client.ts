import { requireAddress, requireCode, requireText } from "./arguments.js";
import { Deadline } from "./deadline.js";
import { Exchange, type Fetch, type Request } from "./exchange.js";
import { answered, renamed, snakeName } from "./names.js";
import { Tokens } from "./tokens.js";
import type {
  AddFactorOptions,
  CallOptions,
  Contact,
  ContactOptions,
  Enrolment,
  Factor,
  Factors,
  ForgetOptions,
  GeneratedCode,
  ImportOptions,
  PasskeyChallenge,
  PasskeyOptionsOptions,
  ProofOptions,
  RecoveryCodes,
  RecoveryMethod,
  RegisterOptions,
  RegisterPasskeyOptions,
  RenewOptions,
  SendOptions,
  SentCode,
  SentRecovery,
  Session,
  SessionOptions,
  SessionResult,
  Status,
  TestClock,
  TestMessage,
  TestMessagesOptions,
  TrustedDeviceChecked,
  TrustedDevices,
  Verified,
  VerifyOptions,
  VerifyPasskeyOptions,
} from "./types.js";

export interface ClientOptions {
  /** In place of the global `fetch`. */
  fetch?: Fetch | undefined;
  /** What one call may take altogether, with the token it may need and every retry. Default: 15 seconds. */
  timeoutMs?: number | undefined;
}

export interface SecretOptions extends ClientOptions {
  /** The service's address: https, or http on this machine. */
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  apiKey?: undefined;
}

export interface KeyOptions extends ClientOptions {
  /** The service's address: https, or http on this machine. */
  baseUrl: string;
  /** In place of the client's id and secret: `cdo_…`. */
  apiKey: string;
  clientId?: undefined;
  clientSecret?: undefined;
}

export type CandadoOptions = SecretOptions | KeyOptions;

export interface FromEnvOptions extends ClientOptions {
  /** Where the variables are, if not in `process.env`: on Workers, the `env` of the handler. */
  env?: object | undefined;
}

/**
 * A client of the service. Make one and keep it: it holds the access token for all its calls, which may run in
 * parallel. Every method throws a `CandadoError` for what the service refuses, and a `TypeError` for an argument
 * of the wrong kind.
 */
export class Candado {
  readonly #exchange: Exchange;
  readonly #tokens: Tokens | undefined;
  readonly #apiKey: string | undefined;
  readonly #timeoutMs: number;

  constructor({ baseUrl, clientId, clientSecret, apiKey, fetch, timeoutMs = 15_000 }: CandadoOptions) {
    this.#exchange = new Exchange(requireAddress(baseUrl), fetch ?? ((input, init) => globalThis.fetch(input, init)));
    if (apiKey !== undefined) {
      if (clientId !== undefined || clientSecret !== undefined) {
        throw new TypeError("apiKey comes in the place of clientId and clientSecret, not with them");
      }
      this.#apiKey = requireText("apiKey", apiKey);
    } else {
      const credentials = [requireText("clientId", clientId), requireText("clientSecret", clientSecret)] as const;
      this.#tokens = new Tokens(this.#exchange, ...credentials, timeoutMs);
    }
    this.#timeoutMs = timeoutMs;
  }

  /**
   * A client made of the variables `CANDADO_URL` and `CANDADO_API_KEY`; where that is not set, of `CANDADO_CLIENT_ID`
   * and `CANDADO_CLIENT_SECRET`.
   */
  static fromEnv({ env = processEnv(), ...options }: FromEnvOptions = {}): Candado {
    const variables = new Map<string, unknown>(Object.entries(env));
    const [url, apiKey] = [variables.get("CANDADO_URL"), variables.get("CANDADO_API_KEY")];
    if (url && apiKey) return new Candado({ ...options, baseUrl: String(url), apiKey: String(apiKey) });
    const names = ["CANDADO_URL", "CANDADO_CLIENT_ID", "CANDADO_CLIENT_SECRET"] as const;
    const missing = names.filter((name) => !variables.get(name));
    if (missing.length > 0) throw new TypeError(`${missing.join(" and ")} must be set in the environment`);
    const [baseUrl, clientId, clientSecret] = names.map((name) => String(variables.get(name))) as [string, string, string];
    return new Candado({ ...options, baseUrl, clientId, clientSecret });
  }

  /** Begins to bind an authenticator app: show the QR code, then `verify` a first code within 10 minutes. */
  async register(userId: string, options: RegisterOptions = {}): Promise<Enrolment> {
    return this.#post<Enrolment>("/mfa/register", userId, options);
  }

  /**
   * Begins to bind another authenticator app. The present one works until a first code of the new one is verified,
   * unless `revokeCurrent` is true. After a lost device hand the recovery code over as `code`.
   */
  async renew(userId: string, options: RenewOptions = {}): Promise<Enrolment> {
    return this.#post<Enrolment>("/mfa/renew", userId, options);
  }

  /**
   * Verifies what the user typed, of whatever kind. Returns only if the code is good, which is then spent; throws
   * `CodeRefused` if it is not. Look at `method` where you do not ask for one: `recovery` signs nobody in.
   */
  async verify(userId: string, code: string, options: VerifyOptions = {}): Promise<Verified> {
    return this.#post<Verified>("/mfa/verify", userId, { ...options, code: requireCode(code) });
  }

  /** What the user can log in with: apps and passkeys. */
  async factors(userId: string, { signal }: CallOptions = {}): Promise<Factors> {
    return this.#get<Factors>("/mfa/factors", userId, signal);
  }

  /** Begins to bind another authenticator app beside those the user has. */
  async addFactor(userId: string, options: AddFactorOptions = {}): Promise<Enrolment> {
    const fields = { ...options, type: "totp" };
    return this.#post<Enrolment>("/mfa/factors", userId, fields);
  }

  /** Gives a factor the name its user knows it by. */
  async renameFactor(userId: string, factorId: string, name: string, { signal }: CallOptions = {}): Promise<Factor> {
    const body = { user_id: requireText("userId", userId), name: requireText("name", name) };
    return this.#call<Factor>({ method: "PATCH", path: factorPath(factorId), body }, signal);
  }

  /** Removes a factor. The last one that works stays: `disable` turns MFA off. */
  async removeFactor(userId: string, factorId: string, { signal, ...proof }: ProofOptions = {}): Promise<void> {
    const body = { user_id: requireText("userId", userId), ...proved(proof) };
    await this.#call<object>({ method: "DELETE", path: factorPath(factorId), body }, signal);
  }

  /** Begins to make a passkey: give `publicKey` to `createPasskey` of `candado/browser`. */
  async passkeyOptions(userId: string, options: PasskeyOptionsOptions = {}): Promise<PasskeyChallenge> {
    return this.#post<PasskeyChallenge>("/mfa/passkeys/options", userId, options);
  }

  /** Binds the passkey that the browser made. It counts at once. */
  async registerPasskey(userId: string, options: RegisterPasskeyOptions): Promise<Factor> {
    return this.#post<Factor>("/mfa/passkeys", userId, options);
  }

  /** Asks for one of the user's passkeys: give `publicKey` to `usePasskey` of `candado/browser`. */
  async passkeyChallenge(userId: string, options: CallOptions = {}): Promise<PasskeyChallenge> {
    return this.#post<PasskeyChallenge>("/mfa/passkeys/challenge", userId, options);
  }

  /** Verifies what a passkey signed. Throws `CodeRefused` if it is not good. */
  async verifyPasskey(userId: string, options: VerifyPasskeyOptions): Promise<Verified> {
    return this.#post<Verified>("/mfa/verify", userId, options);
  }

  /**
   * Whether the browser with that cookie is remembered: if so, ask for no second factor and put the new value into the
   * cookie. Throws an error with the code `not_trusted` if it is not.
   */
  async checkTrustedDevice(userId: string, trustedDevice: string, options: CallOptions = {}): Promise<TrustedDeviceChecked> {
    const fields = { ...options, trustedDevice };
    return this.#post<TrustedDeviceChecked>("/mfa/trusted-devices/check", userId, fields);
  }

  /** Which browsers are remembered. */
  async trustedDevices(userId: string, { signal }: CallOptions = {}): Promise<TrustedDevices> {
    return this.#get<TrustedDevices>("/mfa/trusted-devices", userId, signal);
  }

  /** Forgets a remembered browser, or all. */
  async forgetTrustedDevices(userId: string, { signal, id }: ForgetOptions = {}): Promise<void> {
    const body = { user_id: requireText("userId", userId), ...(id !== undefined && { id }) };
    await this.#call<object>({ method: "DELETE", path: "/mfa/trusted-devices", body }, signal);
  }

  /** Sends a code to the user's phone. */
  async sendSms(userId: string, options: SendOptions = {}): Promise<SentCode> {
    return this.#post<SentCode>("/mfa/sms", userId, options);
  }

  /** Sends a code to the user's e-mail address. */
  async sendEmail(userId: string, options: SendOptions = {}): Promise<SentCode> {
    return this.#post<SentCode>("/mfa/email", userId, options);
  }

  /** Makes a code for you to hand over yourself, on paper or by voice. */
  async generateCode(userId: string, options: CallOptions = {}): Promise<GeneratedCode> {
    return this.#post<GeneratedCode>("/mfa/generate", userId, options);
  }

  /**
   * Sends a message with a code of eight digits to a user who has lost the device. Hand what the user types to `renew`
   * as `code`. Not to be confused with {@link recoveryCodes}, the ten codes a user keeps.
   */
  async recover(userId: string, method: RecoveryMethod, options: SendOptions = {}): Promise<SentRecovery> {
    const fields = { ...options, recoveryMethod: method };
    return this.#post<SentRecovery>("/mfa/recovery", userId, fields);
  }

  /**
   * Makes ten recovery codes for the user to keep, each good once; the former ones are dead. Show them now: they
   * cannot be had again. Nothing is sent; for a message to a user without any code there is {@link recover}.
   */
  async recoveryCodes(userId: string, options: ProofOptions = {}): Promise<RecoveryCodes> {
    return this.#post<RecoveryCodes>("/mfa/recovery-codes", userId, options);
  }

  /**
   * Begins a session of the hosted page: send the browser to its `url`. It comes back to `returnUrl` with `code` and
   * `state`, or with `error`.
   */
  async createSession(userId: string, options: SessionOptions): Promise<Session> {
    return this.#post<Session>("/mfa/sessions", userId, options);
  }

  /**
   * What came of a session, for the `code` that the browser brought back: once, within a minute. Compare `userId` with
   * the user your own session is of, before you let anybody in.
   */
  async getSessionResult(code: string, { signal }: CallOptions = {}): Promise<SessionResult> {
    const body = { code: requireCode(code) };
    return this.#call<SessionResult>({ method: "POST", path: "/mfa/sessions/result", body }, signal);
  }

  /** What the user has set up. A user the service does not know has the state `none`. */
  async status(userId: string, { signal }: CallOptions = {}): Promise<Status> {
    return this.#get<Status>("/mfa/status", userId, signal);
  }

  /** Changes where codes go: what is left out stays, `null` removes it. */
  async setContact(userId: string, options: ContactOptions): Promise<Contact> {
    return this.#post<Contact>("/mfa/contact", userId, options);
  }

  /** Turns MFA off for the user; the recovery codes are gone too. */
  async disable(userId: string, options: ProofOptions = {}): Promise<void> {
    await this.#post<object>("/mfa/disable", userId, options);
  }

  /** Forgets everything about the user. */
  async deleteUser(userId: string, { signal, ...proof }: ProofOptions = {}): Promise<void> {
    const path = `/mfa/users/${encodeURIComponent(requireText("userId", userId))}`;
    const body = proved(proof);
    const given = Object.keys(body).length > 0 ? { body } : {};
    await this.#call<object>({ method: "DELETE", path, ...given }, signal);
  }

  /** Takes over a secret that the user's authenticator app already has. MFA is on at once. */
  async importFactor(userId: string, options: ImportOptions): Promise<void> {
    await this.#post<object>("/mfa/import", userId, options);
  }

  /** What would have been sent for a test client, oldest first: to one user, or to all. */
  async testMessages({ userId, signal }: TestMessagesOptions = {}): Promise<TestMessage[]> {
    const query = userId === undefined ? "" : `?${new URLSearchParams({ user_id: requireText("userId", userId) })}`;
    const request: Request = { method: "GET", path: `/mfa/test/messages${query}` };
    return (await this.#call<{ messages: TestMessage[] }>(request, signal)).messages;
  }

  /** Puts the clock of a test client forward, for all its users and for good. 0 seconds say what time it is. */
  async advanceTestClock(seconds: number, { signal }: CallOptions = {}): Promise<TestClock> {
    const body = { advance_seconds: seconds };
    return this.#call<TestClock>({ method: "POST", path: "/mfa/test/clock", body }, signal);
  }

  /** Revokes the access token this client holds, if any. A later call gets a new one. An API key stays as it is. */
  async revokeToken({ signal }: CallOptions = {}): Promise<void> {
    if (!this.#tokens) return;
    const deadline = new Deadline(this.#timeoutMs, signal);
    const token = await this.#tokens.take(deadline).catch((thrown: unknown) => {
      throw deadline.explain(thrown);
    });
    if (token === undefined) return;
    const body = { access_token: token };
    await this.#exchange.call({ method: "POST", path: "/auth/revoke", body }, deadline);
  }

  async #get<T>(path: string, userId: string, signal: AbortSignal | undefined): Promise<T> {
    const query = new URLSearchParams({ user_id: requireText("userId", userId) });
    return this.#call<T>({ method: "GET", path: `${path}?${query}` }, signal);
  }

  async #post<T>(path: string, userId: string, { signal, ...fields }: ProofOptions): Promise<T> {
    if (fields.code !== undefined) requireCode(fields.code);
    const body = renamed({ userId: requireText("userId", userId), ...fields }, snakeName);
    return this.#call<T>({ method: "POST", path, body }, signal);
  }

  /** What changes something is named, so that it can be sent again whatever becomes of its answer. */
  async #call<T>(request: Request, signal: AbortSignal | undefined): Promise<T> {
    const named = request.method === "GET" ? request : { ...request, idempotencyKey: crypto.randomUUID() };
    const deadline = new Deadline(this.#timeoutMs, signal);
    const token = async (refused?: string) => this.#apiKey ?? (await this.#tokens?.get(deadline, refused)) ?? "";
    const { status, message, ...answer } = await this.#exchange.call(named, deadline, token);
    return answered(answer) as T;
  }
}

function factorPath(factorId: string): string {
  return `/mfa/factors/${encodeURIComponent(requireText("factorId", factorId))}`;
}

/** What was given as a proof, as the service names it. */
function proved({ code, challengeId, credential }: ProofOptions): Record<string, unknown> {
  const given = { code: code === undefined ? code : requireCode(code), challengeId, credential };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return renamed(Object.fromEntries(set), snakeName);
}

/** Without Node's types, for runtimes that have no `process`. */
function processEnv(): object {
  return (globalThis as { process?: { env?: object } }).process?.env ?? {};
}
