// What the admin API answers, as far as the console shows it. docs/openapi.json is where this is described.
import type { UnixTime } from "../session/protocol.ts";

export type { UnixTime };

export interface Brand {
  name: string | null;
  logo_url: string | null;
  colour: string | null;
}

/** Every setting as it applies. */
export type Settings = Record<string, unknown> & { brand: Brand };

export interface Client {
  client_id: string;
  /** In the answer that made it, and nowhere else. */
  client_secret?: string;
  name: string;
  disabled: boolean;
  test: boolean;
  settings: Settings;
  created_at: UnixTime;
}

export const scopes = ["verify", "send", "enrol", "manage", "read"] as const;
export type Scope = (typeof scopes)[number];

export interface ApiKey {
  key_id: string;
  /** In the answer that made it, and nowhere else. */
  api_key?: string;
  name: string;
  scopes: Scope[];
  created_at: UnixTime;
  expires_at: UnixTime | null;
  last_used_at: UnixTime | null;
}

export interface ListedUser {
  user_id: string;
  mfa_enabled: boolean;
  created_at: UnixTime;
  updated_at: UnixTime;
}

export interface UserList {
  users: ListedUser[];
  next: string | null;
}

export type State = "active" | "pending" | "disabled" | "none";

export interface UserFactor {
  id: string;
  type: string;
  name: string | null;
  state: State;
  created_at: UnixTime;
  confirmed_at: UnixTime | null;
  last_used_at: UnixTime | null;
}

export interface UserCount {
  class: string;
  failures: number;
  failures_in_24_hours: number;
  locked_until: UnixTime | null;
}

export interface User {
  client_id: string;
  user_id: string;
  mfa_enabled: boolean;
  state: State;
  phone: string | null;
  email: string | null;
  factors: UserFactor[];
  recovery_codes_remaining: number;
  counts: UserCount[];
  created_at: UnixTime;
  last_verified_at: UnixTime | null;
  /** The newest first, 20 at most. */
  events: AuditEvent[];
}

export interface AuditEvent {
  id: number;
  at: UnixTime;
  client_id: string | null;
  user_id: string | null;
  event: string;
  outcome: string;
  method: string | null;
  operator: string | null;
  request_id: string;
  detail: Record<string, unknown>;
}

export interface AuditEvents {
  events: AuditEvent[];
  next: number | null;
}

/** What a webhook can be told of. */
export const topics = [
  "enrolled", "imported", "confirmed", "renewed", "factor_added", "factor_renamed", "factor_removed", "factor_disabled", "recovery_codes_replaced", "contact_changed",
  "disabled", "deleted", "locked", "unlocked", "recovered", "recovery_stopped", "passkey_counter_went_back", "trusted_device_reused", "trusted_devices_removed",
] as const;

export interface KeyRing {
  keys: { id: string; role: "current" | "former" | "missing"; accounts: number }[];
  accounts: number;
  current: number;
}

export interface Health {
  status: "ok";
  version: string;
}
