// What the hosted page and the service say to each other, as types. PROTOCOL.md has the rules that every endpoint
// obeys (origin, cookie, header, idempotency) and the table of errors; the shapes here are its second half.
//
// Every answer is JSON. Unless an endpoint says otherwise it answers a SessionView: the whole of what the page may
// know, after the change. The page keeps no state of its own that the service does not tell it again.

/** Seconds since 1970 on the service's clock. */
export type UnixTime = number;

export type Purpose = "verify" | "enrol" | "manage" | "recover";

/**
 * What the session waits for. It moves by proof only, never by a wish of the page:
 * - `verify`: a proof of the person. The first stage of purpose `verify`, of `manage`, and of `enrol` over existing ways
 * - `enrol`: a new way. `enrolment.recovered` says that a recovery came before
 * - `manage`: anything
 * - `recover`: a proof for a person who has lost every way. The first stage of purpose `recover`
 * - `lost`: after a recovery and its new way: which of the former ways are gone
 * - `done`: nothing more; `POST /session/finish` tells where to go
 */
export type Stage = "verify" | "enrol" | "manage" | "recover" | "lost" | "done";

/** The ways to sign in. `sms` and `email` are the number and the address on file, not factors. */
export type WayType = "totp" | "passkey" | "push" | "sms" | "email";
export type MethodType = WayType | "recovery_code";
export type Channel = "sms" | "email";

export interface Brand {
  /** At most 64 characters, never markup. */
  name: string;
  /** A `data:` URL of PNG or SVG, shown by `<img>` only. */
  logo_url: string | null;
  /** `#rrggbb` and nothing else. */
  colour: string | null;
}

/** What the page needs to say where it belongs, also once the session has ended. */
export interface Surroundings {
  /** BCP 47: the session's language; the page falls back to the browser's, then to English. */
  locale: string | null;
  brand: Brand;
  /** `https:` or `mailto:`. */
  support_url: string | null;
  /** Host of the return address. The page follows no redirect to another one. */
  return_host: string;
}

export interface SessionView extends Surroundings {
  /** Public name of the session: not a secret, worth nothing without the cookie. 22 characters of base64url. */
  session_id: string;
  /** Changes whenever anything else here does, for `GET /session/state?since=`. Opaque. */
  revision: string;
  purpose: Purpose;
  stage: Stage;
  /** The account as the application calls it, at most 64 characters. */
  account_name: string | null;
  server_time: UnixTime;
  /** When the page closes unless something is pressed; every POST, PATCH and DELETE moves it. */
  expires_at: UnixTime;
  /** When it closes in any case. */
  expires_at_most: UnixTime;
  /** When a proof was last given here, for what wants a fresh one. */
  verified_at: UnixTime | null;
  /** By what; tells the page of a spent recovery code. */
  verified_by: MethodType | null;
  /** What can prove the person, in no particular order: the page sorts (src/session/order.ts). */
  methods: Method[];
  /** By which of them this browser last succeeded for this user, within 90 days. */
  last_method: MethodType | null;
  /** Whether the page may ask for a message or request without a press. True once a session at most. */
  auto_send: boolean;
  /** Where `passkey_rp_id` does not fit the page's host, the page offers no passkeys. */
  passkey_rp_id: string;
  /** The box "don't ask again in this browser". */
  remember: { offered: boolean; days: number };
  /** What can be set up now; null outside `enrol` and `manage`. */
  enrolment: Enrolment | null;
  /** A set-up under way. The same secret, link and deadline after a reload. */
  pending_enrolment: PendingEnrolment | null;
  /** The ways on file, for `manage`, `enrol` and `lost`; empty before a proof. */
  factors: Factor[];
  /** The way that this very answer added, for naming it; null in every other answer. */
  added: string | null;
  recovery_codes_remaining: number;
  /** A fresh set, until `POST /session/recovery-codes/done`; never again after it. The page shows nothing else meanwhile. */
  recovery_codes: string[] | null;
  trusted_devices: TrustedDevice[];
  /** Null where nothing can recover. */
  recovery: Recovery | null;
}

/** Classes of codes with a lock of their own. */
interface Lockable {
  /** The class's lock; null while it is open. */
  locked_until: UnixTime | null;
  /** Turned off after too many wrong codes, until it is set up again. */
  disabled: boolean;
}

export interface TotpMethod extends Lockable {
  type: "totp";
  /** How many digits the user's apps show: `[6]`, `[8]` or both. */
  digits: number[];
}

export interface PasskeyMethod {
  type: "passkey";
  passkeys: { transports: string[]; backed_up: boolean }[];
  /** This browser has succeeded with a passkey of this user before. */
  used_here: boolean;
}

export interface PushMethod {
  type: "push";
  /** The phone's name. */
  device: string;
  /** Where the authenticator is, for a phone that is browser and authenticator in one. */
  authenticator_url: string;
  /** After too many requests without an answer. */
  closed_until: UnixTime | null;
  live: PushRequest | null;
}

export interface SentMethod extends Lockable {
  type: Channel;
  /** Masked. */
  destination: string;
  sent: Sent | null;
  /** The limit of messages is reached until then. */
  closed_until: UnixTime | null;
}

export interface RecoveryCodeMethod extends Lockable {
  type: "recovery_code";
}

export type Method = TotpMethod | PasskeyMethod | PushMethod | SentMethod | RecoveryCodeMethod;

export interface PushRequest {
  challenge_id: string;
  /** Two digits, to be picked on the phone. */
  number: string;
  expires_at: UnixTime;
  /** `denied` tells no reason. `approved` is spent by `POST /session/verify`. */
  status: "pending" | "approved" | "denied" | "expired";
}

export interface Sent {
  digits: number;
  sent_at: UnixTime;
  expires_at: UnixTime;
  /** The cooldown. */
  send_again_at: UnixTime;
}

export interface Enrolment {
  /** What the client allows and the service can do. A recovered session lacks `sms` and `email` unless nothing else is left. */
  types: WayType[];
  /** Which of them have reached their limit, and what it is. */
  full: Partial<Record<WayType, number>>;
  recovered: boolean;
}

export interface PendingTotp {
  type: "totp";
  otpauth_url: string;
  /** Base32, without padding. */
  secret: string;
  /** `data:image/svg+xml` or `data:image/png`, black on white, 4 modules of quiet zone. */
  qr_image: string;
  digits: number;
  expires_at: UnixTime;
}

export interface PendingPush {
  type: "push";
  enrolment_url: string;
  qr_image: string;
  /** Eight characters, as `ABCD-2345`. */
  code: string;
  expires_at: UnixTime;
}

/** A number or address that is on file only once its code came back. */
export interface PendingContact {
  type: Channel;
  /** Masked. */
  destination: string;
  sent: Sent;
  locked_until: UnixTime | null;
}

export type PendingEnrolment = PendingTotp | PendingPush | PendingContact;

export interface Factor {
  /** `sms` and `email` for the number and the address. */
  id: string;
  type: WayType;
  /** 1 to 40 characters; the masked destination for `sms` and `email`, which have no name to change. */
  name: string;
  /** `pending`: set-up not finished. `disabled`: turned off after too many wrong codes. */
  state: "pending" | "active" | "disabled";
  created_at: UnixTime;
  last_used_at: UnixTime | null;
  /** Set up in this session: the new way of a recovery is not among the lost ones. */
  added_here: boolean;
  /** Passkeys only. */
  passkey?: { credential_id: string; backed_up: boolean };
}

export interface TrustedDevice {
  id: string;
  /** From its User-Agent when it was remembered, as "Chrome, Windows". */
  browser: string;
  created_at: UnixTime;
  last_used_at: UnixTime | null;
}

export type RecoveryType = "recovery_code" | "link" | "email" | "sms";

export interface Recovery {
  /** Only what works. */
  methods: { type: RecoveryType; destination: string | null; locked_until: UnixTime | null }[];
  delay_hours: number;
  sent: RecoverySent | null;
}

export interface RecoverySent extends Sent {
  type: "link" | "email" | "sms";
  destination: string;
  /** With a delay: when the link opens. */
  opens_at: UnixTime | null;
}

// Requests

/** `POST /session/open`: the browser that opens first keeps the session. */
export interface Open {
  /** What stood in the fragment behind the dot. */
  secret: string;
}

/** `POST /session/locale`: the page's language, which messages follow. */
export interface SetLocale {
  locale: string;
}

/** `POST /session/send`: a code by text or e-mail. */
export interface Send {
  method: Channel;
}

/** `POST /session/verify`. A push needs its `challenge_id` alone, a passkey its challenge and credential. */
export type Verify = { remember?: boolean } & (
  | { method: "totp" | "sms" | "email" | "recovery_code"; code: string }
  | { method: "passkey"; challenge_id: string; credential: AuthenticationResponseJSON }
  | { method: "push"; challenge_id: string }
);

/** `POST /session/factors`: begins a set-up, or answers the one under way. `fresh` ends that one and makes another secret. */
export interface BeginFactor {
  type: "totp" | "push";
  fresh?: boolean;
}

/** `POST /session/factors/totp/confirm`, `/session/contact/confirm`. */
export interface Confirm {
  code: string;
}

/** `POST /session/passkeys`. */
export interface AddPasskey {
  challenge_id: string;
  credential: RegistrationResponseJSON;
  /** Proposed from browser and system; the service prefers what it knows of the `aaguid`. */
  name: string;
}

/** `POST /session/contact`: exactly one of the two. */
export type SetContact = { phone: string } | { email: string };

/** `PATCH /session/factors/{id}`. */
export interface Rename {
  name: string;
}

/** `POST /session/recover`: sends a link or code. (A recovery code needs no request before it.) */
export interface Recover {
  method: "link" | "email" | "sms";
}

/** `POST /session/recover/verify`. */
export interface RecoverVerify {
  method: "recovery_code" | "email" | "sms";
  code: string;
}

/** `POST /session/lost`: what is removed; an empty list is an answer, too. */
export interface Lost {
  factor_ids: string[];
}

// Answers that are no SessionView

/** `POST /session/finish`, `POST /session/cancel`. Each call makes a new result code and voids the one before. */
export interface Leaving {
  redirect: string;
}

/** `POST /session/passkeys/challenge`. Good for one attempt. */
export interface PasskeyChallenge {
  challenge_id: string;
  publicKey: PublicKeyCredentialRequestOptionsJSON;
}

/** `POST /session/passkeys/options`. */
export interface PasskeyOptions {
  challenge_id: string;
  publicKey: PublicKeyCredentialCreationOptionsJSON;
}

/**
 * `POST /session/link` looks at a link and changes nothing; `POST /session/link/stop` answers it with state `stopped`.
 * `POST /session/link/continue` spends a recovery link and answers a SessionView. Body of all three: `Open`.
 */
export interface LinkView extends Surroundings {
  kind: "recover" | "stop";
  state: "ready" | "early" | "used" | "expired" | "stopped";
  /** With `early`. */
  opens_at: UnixTime | null;
  server_time: UnixTime;
}

/** The service's shape of errors, with what a session adds. */
export interface ErrorBody {
  status: "failure";
  error: string;
  message: string;
  retry_after?: number;
  attempts_remaining?: number;
  field?: string;
  documentation_url?: string;
  /** The state after the failure, for a session that is alive. */
  view?: SessionView;
  /** With `session_expired` and `session_ended`. */
  ended?: Surroundings & { redirect: string | null };
}
