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
export type Method = "totp" | "sms" | "email" | "generated" | "recovery_code" | "recovery";
/** The methods `verify` can be told to insist on. */
export type VerifyMethod = "totp" | "sms" | "email" | "generated" | "recovery_code";
/** Where a recovery message can go. */
export type RecoveryMethod = "sms" | "email";

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
}

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
}

export interface VerifyOptions extends CallOptions {
  /** Accept only this. Default: every method the client may use. */
  method?: VerifyMethod | undefined;
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
