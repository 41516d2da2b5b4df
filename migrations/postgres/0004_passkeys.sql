-- Whose passkey a credential is.
CREATE TABLE passkeys (
  client_id TEXT COLLATE "C" NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  user_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (client_id, digest)
);

CREATE INDEX passkeys_by_user ON passkeys (client_id, user_id);
