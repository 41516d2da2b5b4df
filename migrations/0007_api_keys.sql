-- What applications may show in the place of a token. A key that is revoked is deleted; the record says that it was.
-- `scopes` is separated by spaces, `last_used_at` is the beginning of a day.
CREATE TABLE api_keys (
  client_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  PRIMARY KEY (client_id, id)
) STRICT, WITHOUT ROWID;
