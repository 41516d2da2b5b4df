-- `count` is INTEGER, since the sum of those is BIGINT.
CREATE TABLE statistics (
  step BIGINT NOT NULL,
  start BIGINT NOT NULL,
  client_id TEXT COLLATE "C" NOT NULL,
  what TEXT COLLATE "C" NOT NULL,
  method TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  place TEXT COLLATE "C" NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (step, start, client_id, what, method, outcome, place)
) WITH (fillfactor = 70);

CREATE TABLE statistics_marks (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  mark BIGINT NOT NULL
) WITH (fillfactor = 50);

-- It begins with what happens from here on.
INSERT INTO statistics_marks (name, mark) SELECT 'record', id FROM audit_log ORDER BY id DESC LIMIT 1;
