-- A client for tests of integrators: how many seconds its clock is ahead. NULL: not such a client.
ALTER TABLE clients ADD COLUMN test_clock_ahead INTEGER;

-- What would have been sent for such a client, sealed, for a day.
CREATE TABLE test_messages (
  id INTEGER PRIMARY KEY,
  client_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  stored_at INTEGER NOT NULL,
  message TEXT NOT NULL
) STRICT;

CREATE INDEX test_messages_by_client ON test_messages (client_id, id);
