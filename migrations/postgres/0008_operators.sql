-- Which operator brought an event about; null where it was none. Neither index has an entry for the events of a login.
ALTER TABLE audit_log ADD COLUMN operator TEXT COLLATE "C";
CREATE INDEX audit_log_by_operator ON audit_log (operator, id) WHERE operator IS NOT NULL;
CREATE INDEX audit_log_by_rare_event ON audit_log (event, id)
  WHERE event NOT IN ('verified', 'failed', 'code_sent', 'code_generated');
