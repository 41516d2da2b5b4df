-- As migrations/0005_idempotency_keys.sql.
CREATE TABLE idempotency_keys (
  client_id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  fingerprint TEXT NOT NULL,
  holder TEXT COLLATE "C" NOT NULL,
  started_at BIGINT NOT NULL,
  acted BIGINT NOT NULL,
  answer TEXT,
  PRIMARY KEY (client_id, name)
) WITH (fillfactor = 50);

CREATE INDEX idempotency_keys_by_start ON idempotency_keys (started_at);
