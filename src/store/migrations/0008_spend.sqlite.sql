-- What has been spent, added up, so that a report reads sums and no rows. No call writes here: a task beside calls adds the
-- final rows in the order of `seq`, and those before `next_seq` are in the sums, each once. `pruned_to`: rows of calls from
-- before that time may have been removed; their sums stay.
CREATE TABLE spend_state (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  next_seq  INTEGER NOT NULL,
  pruned_to INTEGER NOT NULL
) STRICT;
INSERT INTO spend_state (id, next_seq, pruned_to)
SELECT 1, 0, coalesce((SELECT max(last_at) + 1 FROM audit_segments), 0);

-- Who called.
CREATE TABLE spend_subjects (
  id              INTEGER PRIMARY KEY,
  vault_key_id    TEXT NOT NULL,
  agent_run_id    TEXT,
  agent_run_label TEXT,
  agent_name      TEXT
) STRICT;
CREATE INDEX spend_subjects_key ON spend_subjects (vault_key_id, agent_run_id, agent_name);
CREATE INDEX spend_subjects_run ON spend_subjects (agent_run_id);
CREATE INDEX spend_subjects_label ON spend_subjects (agent_run_label);

-- What was called.
CREATE TABLE spend_operations (
  id       INTEGER PRIMARY KEY,
  vendor   TEXT NOT NULL,
  method   TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  UNIQUE (vendor, method, endpoint)
) STRICT;

-- The sums of each hour (`slot_ms` 3600000) and again of each UTC day (86400000) in which calls were made.
CREATE TABLE spend_sums (
  slot_ms           INTEGER NOT NULL,
  slot              INTEGER NOT NULL,
  subject           INTEGER NOT NULL,
  operation         INTEGER NOT NULL,
  calls             INTEGER NOT NULL,
  refused           INTEGER NOT NULL,
  settled_micros    INTEGER NOT NULL,
  unresolved_micros INTEGER NOT NULL,
  PRIMARY KEY (slot_ms, slot, subject, operation)
) STRICT, WITHOUT ROWID;
