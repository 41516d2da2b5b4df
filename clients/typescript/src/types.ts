// What the methods take and answer. test/contract.ts holds it against the service's OpenAPI document.

/** The hash of the authenticator's codes. Every app knows SHA1; some ignore the others. */
export type Algorithm = "SHA1" | "SHA256" | "SHA512";
/** How many digits the authenticator's codes have. */
export type Digits = 6 | 8;
/** How many seconds the authenticator shows one code. */
export type Period = 30 | 60;
/** The language of a message. */
export type Locale = "en" | "es";

/**
 * What a code proved. `recovery` is the code of a recovery message: let its user set up a new device and nothing
 * else. `recovery_code` is one of the ten the user saved.
 */
export type Method = "totp" | "passkey" | "sms" | "email" | "generated" | "recovery_code" | "recovery";
/** The methods `verify` can be told to insist on. */
export type VerifyMethod = "totp" | "sms" | "email" | "generated" | "recovery_code";
/** Where a recovery message can go. A `link` goes by e-mail, to the hosted page. */
export type RecoveryMethod = "sms" | "email" | "link";

/**
 * `active`: ask for codes. `pending`: waits for its first code. `disabled`: turned off, by request or by a hundred
 * wrong codes in a row. `none`: the service does not know the user.
 */
export type State = "active" | "pending" | "disabled" | "none";

export interface CallOptions {
  /** Gives the call up; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** For what takes something from a user. */
export interface ProofOptions extends CallOptions {
  /**
   * What the user typed just now. It is checked, and spent, in the same step as the change. Without it a client with
   * the setting `require_step_up` gets `step_up_required`. Do not `verify` it first: it would be spent there.
   */
  code?: string | undefined;
  /** Instead of a code: of `passkeyChallenge`, with the `credential` the browser made of it. */
  challengeId?: string | undefined;
  credential?: UsedCredential | undefined;
}

/** What `PublicKeyCredential.toJSON()` gives of a passkey: hand it on as it is. */
export interface CredentialJson {
  id: string;
  rawId: string;
  type: "public-key";
  response: Record<string, unknown>;
}
/** Of a passkey that was made: a `RegistrationResponseJSON`. */
export type MadeCredential = CredentialJson;
/** Of a passkey that was used: an `AuthenticationResponseJSON`. */
export type UsedCredential = CredentialJson;

/** How the authenticator makes its codes. */
export interface AuthenticatorOptions {
  /** Default: SHA1. */
  algorithm?: Algorithm | undefined;
  /** Default: 6. */
  digits?: Digits | undefined;
  /** Default: 30. */
  period?: Period | undefined;
}

/** What a new user may have. */
export interface NewUserOptions extends CallOptions {
  /** Where codes may go. Verify it first: whoever reads its mail can log in. */
  email?: string | undefined;
  /** Where codes may go: +, country code and number, without spaces. Verify it first. */
  phone?: string | undefined;
  /** What the app shows beside your name. Default: the user id. */
  accountName?: string | undefined;
}

export interface RegisterOptions extends NewUserOptions, AuthenticatorOptions {
  /** `false` turns MFA on at once, without a first code. */
  confirm?: boolean | undefined;
}

export interface RenewOptions extends ProofOptions {
  /** Whether the present app is dead at once, as a lost one should be, and not when the new one is confirmed. */
  revokeCurrent?: boolean | undefined;
  /** The app to renew, of `factors`. Needed where the user has several. */
  factorId?: string | undefined;
}

export interface AddFactorOptions extends RegisterOptions, ProofOptions {
  /** What the user calls it. */
  name?: string | undefined;
}

export interface PasskeyOptionsOptions extends ProofOptions {
  /** The account name the browser shows. Default: the user id. */
  name?: string | undefined;
}

export interface RegisterPasskeyOptions extends CallOptions {
  /** Of `passkeyOptions`. */
  challengeId: string;
  credential: MadeCredential;
  /** What the user calls it. */
  name?: string | undefined;
}

export interface VerifyPasskeyOptions extends CallOptions {
  /** Of `passkeyChallenge`. */
  challengeId: string;
  credential: UsedCredential;
  /** As in `VerifyOptions`. */
  remember?: boolean | undefined;
}

export interface ForgetOptions extends CallOptions {
  /** The browser to forget, of `trustedDevices`. Default: all. */
  id?: string | undefined;
}

export interface VerifyOptions extends CallOptions {
  /** Accept only this. Default: every method the client may use. */
  method?: VerifyMethod | undefined;
  /** Whether to remember the browser, for as long as the client's `remember_days` say. */
  remember?: boolean | undefined;
  /** Whether the result also comes as a token that other services of yours can verify. Default: no. */
  resultToken?: boolean | undefined;
  /** Repeated in that token: 1 to 128 characters. */
  nonce?: string | undefined;
}

export interface SendOptions extends CallOptions {
  /** Default: the client's own. */
  locale?: Locale | undefined;
}

/** What is left out stays; `null` removes it. */
export interface ContactOptions extends ProofOptions {
  email?: string | null | undefined;
  phone?: string | null | undefined;
}

export interface ImportSecretOptions extends NewUserOptions, AuthenticatorOptions {
  /** In base32, of 128 bits or more. */
  secret: string;
  otpauthUrl?: never;
}

export interface ImportUrlOptions extends NewUserOptions {
  /** `otpauth://totp/…`, which says by itself how its codes are made. */
  otpauthUrl: string;
  secret?: never;
  algorithm?: never;
  digits?: never;
  period?: never;
}

/** The secret in base32, or an otpauth URL. */
export type ImportOptions = ImportSecretOptions | ImportUrlOptions;

export interface Enrolment {
  factorId: string;
  /** The QR code as an image, while the first code is awaited. Show it to its user only. */
  qrCodeUrl: string;
  /** What the QR code says; on a phone a link that opens the app. */
  otpauthUrl: string;
  /** For typing by hand, in base32. Do not store it. */
  secret: string;
  state: "pending" | "active";
  /** Until when the first code is awaited, in Unix seconds; null if it is not. */
  expiresAt: number | null;
}

/** What a good code proved. For one that is not good there is no result: `verify` throws. */
export interface Verified {
  method: Method;
  /** Of a passkey: whether its authenticator checked who used it, by a finger, a face or a PIN. */
  userVerified?: boolean;
  /** For a cookie of the browser, where it is remembered. */
  trustedDevice?: string;
  /** A JWS by ES256 that says the same for five minutes. Only if `resultToken` was asked for. */
  resultToken?: string;
}

export type FactorType = "totp" | "passkey";

/** Times are Unix seconds. */
export interface Factor {
  id: string;
  type: FactorType;
  /** What its user calls it. */
  name: string | null;
  state: State;
  createdAt: number;
  /** When it began to count. */
  confirmedAt: number | null;
  lastUsedAt: number | null;
  /** Of a passkey: whether there are copies of it. */
  backedUp?: boolean;
  transports?: string[];
  /** Of a passkey: its authenticator's model, which nothing proves. */
  aaguid?: string;
}

export interface Factors {
  factors: Factor[];
  recoveryCodesRemaining: number;
  /** Masked: safe to show. */
  phone: string | null;
  email: string | null;
}

/** For a browser: see `candado/browser`. */
export interface PasskeyChallenge {
  /** Good for one attempt. */
  challengeId: string;
  /** Seconds the browser has. */
  expiresIn: number;
  publicKey: object;
}

export interface TrustedDeviceChecked {
  /** What the cookie holds from now on. */
  trustedDevice: string;
  /** In Unix seconds. */
  expiresAt: number;
}

/** Times are Unix seconds. */
export interface TrustedDevice {
  id: string;
  createdAt: number;
  lastUsedAt: number | null;
  expiresAt: number;
}

export interface TrustedDevices {
  trustedDevices: TrustedDevice[];
}

export interface SentCode {
  /** Where it went, masked: safe to show. */
  destination: string;
  /** Seconds the code is good for. */
  expiresIn: number;
}

export interface SentRecovery {
  /** Seconds the code is good for. */
  expiresIn: number;
}

export interface GeneratedCode {
  code: string;
  /** Seconds the code is good for. */
  expiresIn: number;
}

export interface RecoveryCodes {
  /** For the user to keep. Shown this once. */
  recoveryCodes: string[];
  remaining: number;
}

/** What a session of the hosted page is for. */
export type SessionPurpose = "verify" | "enrol" | "manage" | "recover";

export interface SessionOptions extends CallOptions {
  purpose: SessionPurpose;
  /** Exactly one of the client's setting `return_urls`. */
  returnUrl: string;
  /** Comes back with the browser as it is. Compare it with the one you keep for this browser. */
  state?: string | undefined;
  /** Comes back in the result. */
  nonce?: string | undefined;
  /** The page's language. Default: the browser's. */
  locale?: Locale | undefined;
  /** Whether the page may offer to remember the browser. */
  remember?: boolean | undefined;
  /** What the page calls the account. */
  accountName?: string | undefined;
}

export interface Session {
  sessionId: string;
  /** Where to send the browser. The first one that opens it keeps the session. */
  url: string;
  /** Seconds the page stays open without a press. */
  expiresIn: number;
}

export interface SessionResult {
  /** Compare it with the user your own session is of. */
  userId: string;
  purpose: SessionPurpose;
  /** What was proved; null where nothing had to be, such as for a first way. */
  method: string | null;
  /** The proof in the words of RFC 8176. */
  amr: string[];
  /** When, in Unix seconds. */
  authTime: number | null;
  nonce: string | null;
  /** The same for others who verify it themselves; null where nothing had to be proved. */
  resultToken: string | null;
  /** For a cookie of yours, if the user asked for the browser to be remembered. */
  trustedDevice?: string | undefined;
}

/** Masked: safe to show. */
export interface Contact {
  email: string | null;
  phone: string | null;
}

/** Times are Unix seconds. */
export interface Status {
  /** Whether to ask for a code after the password. */
  mfaEnabled: boolean;
  state: State;
  /** The ways this user can get a code now, recovery apart. */
  methods: Method[];
  recoveryCodesRemaining: number;
  /** Until when codes are refused unseen; null if they are not. */
  lockedUntil: number | null;
  createdAt: number | null;
  lastVerifiedAt: number | null;
}

export interface TestMessagesOptions extends CallOptions {
  /** Only those to this user. */
  userId?: string | undefined;
}

/** What would have been sent for a test client. */
export interface TestMessage {
  userId: string;
  channel: "sms" | "email";
  /** `recovery` where it is to bind a new device with. */
  purpose: "verify" | "recovery" | "notice";
  /** A phone number or an e-mail address. */
  to: string;
  /** Null for an SMS. */
  subject: string | null;
  text: string;
  /** Null where the message has a link in its place. */
  code: string | null;
  /** By the client's clock, in Unix seconds. */
  sentAt: number;
}

/** Where the clock of a test client stands. */
export interface TestClock {
  /** The client's time, in Unix seconds: make the codes of an authenticator app for it. */
  now: number;
  /** How far it is ahead of the service's. */
  aheadSeconds: number;
}
