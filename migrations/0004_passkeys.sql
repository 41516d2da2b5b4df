-- Whose passkey a credential is, by a digest of its id that is bound to the client: no two users of a client have the
-- same one. Written in the transaction that adds or removes the passkey.
CREATE TABLE passkeys (
  client_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (client_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX passkeys_by_user ON passkeys (client_id, user_id);
