-- Times are integer seconds since the Unix epoch. D1 and the native SQLite apply the same files, forward only.

CREATE TABLE clients (
  client_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  secret_digest TEXT NOT NULL,
  previous_secret_digest TEXT,
  previous_secret_expires_at INTEGER,
  settings TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL,
  disabled_at INTEGER
) STRICT;

-- One row is everything that decides whether a code is good for one user. `version` is what a
-- compare-and-swap compares; it starts at a random number, so that a row deleted and made again
-- never matches a version loaded before. `key_id` is the key all sealed values in `state` are sealed with.
CREATE TABLE accounts (
  client_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  mfa_enabled INTEGER NOT NULL,
  locked_until INTEGER,
  key_id TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (client_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_by_key ON accounts (key_id);

CREATE TABLE revoked_tokens (
  jti TEXT NOT NULL PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

-- What was counted in one window of one scope (a destination, a number prefix, a client's day).
CREATE TABLE send_counters (
  scope TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (scope, window_start)
) STRICT, WITHOUT ROWID;

CREATE INDEX send_counters_by_window ON send_counters (window_start);

CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  client_id TEXT,
  user_id TEXT,
  event TEXT NOT NULL,
  outcome TEXT NOT NULL,
  method TEXT,
  request_id TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT '{}'
) STRICT;

CREATE INDEX audit_log_by_user ON audit_log (client_id, user_id, id);
CREATE INDEX audit_log_by_time ON audit_log (at);
