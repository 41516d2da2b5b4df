-- As migrations/0011_webhooks.sql.
ALTER TABLE clients ADD COLUMN webhook TEXT;

CREATE TABLE webhook_deliveries (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  client_id TEXT COLLATE "C" NOT NULL,
  event TEXT COLLATE "C" NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  give_up_at BIGINT NOT NULL,
  next_at BIGINT,
  lease_until BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  attempted_at BIGINT,
  delivered_at BIGINT,
  status BIGINT,
  problem TEXT
);

CREATE INDEX webhook_deliveries_by_client ON webhook_deliveries (client_id, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE next_at IS NOT NULL;
