-- How often something happened in a bucket of `step` seconds from `start` on; never to whom. `what` is the name of an
-- event, or message, or call.
CREATE TABLE statistics (
  step INTEGER NOT NULL,
  start INTEGER NOT NULL,
  client_id TEXT NOT NULL,
  what TEXT NOT NULL,
  method TEXT NOT NULL,
  outcome TEXT NOT NULL,
  place TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (step, start, client_id, what, method, outcome, place)
) STRICT, WITHOUT ROWID;

-- How far the record is counted, and how often buckets were put together. Without a row it is 0.
CREATE TABLE statistics_marks (
  name TEXT NOT NULL PRIMARY KEY,
  mark INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- It begins with what happens from here on.
INSERT INTO statistics_marks (name, mark) SELECT 'record', id FROM audit_log ORDER BY id DESC LIMIT 1;
