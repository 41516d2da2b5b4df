-- What a client named a request by, so that the request takes effect once however often it is sent. `acted`: it
-- changed something. `answer`: what it was answered, sealed; without one it is under way, or was cut off.
CREATE TABLE idempotency_keys (
  client_id TEXT NOT NULL,
  name TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  holder TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  acted INTEGER NOT NULL,
  answer TEXT,
  PRIMARY KEY (client_id, name)
) STRICT;

CREATE INDEX idempotency_keys_by_start ON idempotency_keys (started_at);
