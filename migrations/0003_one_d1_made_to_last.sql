-- An ordinary table: in one WITHOUT ROWID a row over about 1 KB spills into a page of its own, and an account
-- with recovery codes has more. `id` is the rowid: a place to go on from for whoever reads all rows in turn.
CREATE TABLE accounts_new (
  id INTEGER PRIMARY KEY,
  client_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  mfa_enabled INTEGER NOT NULL,
  locked_until INTEGER,
  key_id TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (client_id, user_id)
) STRICT;

INSERT INTO accounts_new (client_id, user_id, version, mfa_enabled, locked_until, key_id, state, created_at, updated_at)
  SELECT client_id, user_id, version, mfa_enabled, locked_until, key_id, state, created_at, updated_at FROM accounts;

DROP TABLE accounts;
ALTER TABLE accounts_new RENAME TO accounts;
CREATE INDEX accounts_by_key ON accounts (key_id);

-- Ids are in order of time, so the oldest events are found without an index by time: one row less to write for each.
DROP INDEX audit_log_by_time;

-- How many users a client has, counted with each that comes and goes. A client that is being deleted is there until
-- its last user is gone, so that its id is not given to another before.
ALTER TABLE clients ADD COLUMN accounts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN deleted_at INTEGER;
UPDATE clients SET accounts = (SELECT COUNT(*) FROM accounts WHERE accounts.client_id = clients.client_id);

-- Wrong client secrets of the present minute, in a fixed number of buckets: strangers make no further row.
CREATE TABLE auth_failures (
  bucket INTEGER PRIMARY KEY,
  minute INTEGER NOT NULL,
  count INTEGER NOT NULL
) STRICT;
DELETE FROM send_counters WHERE scope LIKE 'auth:%';

-- Providers that asked for a pause.
CREATE TABLE provider_pauses (
  provider TEXT NOT NULL PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT;
