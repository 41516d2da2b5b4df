-- Where a client wants to be told of what happens to its users: address, kinds, and the sealed secrets that sign.
ALTER TABLE clients ADD COLUMN webhook TEXT;

-- What it is told, written with what happened. The id begins with the time. `next_at`: not told yet, and when the next
-- try is due; `delivered_at`: told; neither: given up. Until `lease_until` somebody is trying, and nobody else may.
CREATE TABLE webhook_deliveries (
  id TEXT NOT NULL PRIMARY KEY,
  client_id TEXT NOT NULL,
  event TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  give_up_at INTEGER NOT NULL,
  next_at INTEGER,
  lease_until INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  attempted_at INTEGER,
  delivered_at INTEGER,
  status INTEGER,
  problem TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_deliveries_by_client ON webhook_deliveries (client_id, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE next_at IS NOT NULL;
