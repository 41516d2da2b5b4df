-- `token_epoch` stands in every access token; drawing a new one ends all tokens of a client at once.
-- `version` is what a compare-and-swap of a client compares, as in `accounts`.
ALTER TABLE clients ADD COLUMN token_epoch TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
