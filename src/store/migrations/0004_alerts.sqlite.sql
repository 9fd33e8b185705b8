-- What operators are told of. `id` names the occurrence, so that it is told of once, whoever finds it and however often;
-- `event` is what receivers get (JSON).
CREATE TABLE alert_events (
  seq   INTEGER PRIMARY KEY AUTOINCREMENT,
  id    TEXT NOT NULL UNIQUE,
  type  TEXT NOT NULL,
  at    INTEGER NOT NULL,
  event TEXT NOT NULL
) STRICT;
CREATE INDEX alert_events_at ON alert_events (at);

-- One event on its way to one target. `due_at` is the next try; whoever takes one puts it off first, so that it has it alone.
CREATE TABLE alert_deliveries (
  event_seq   INTEGER NOT NULL,
  target      TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts    INTEGER NOT NULL,
  queued_at   INTEGER NOT NULL,
  due_at      INTEGER NOT NULL,
  http_status INTEGER,
  problem     TEXT,
  PRIMARY KEY (event_seq, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_deliveries_pending ON alert_deliveries (target, event_seq) WHERE state = 'pending';

-- What rules add up over many calls: `amount` of `kind` for `subject` in the slot of time that begins at `slot`.
CREATE TABLE alert_tallies (
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  slot    INTEGER NOT NULL,
  amount  INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (kind, subject, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_tallies_at ON alert_tallies (at);

-- How far the audit rows have been read. Every row up to `chain_seq` has been, and all others lie from `place` on. While a
-- pass is on, `pass_to` is the position that it ends with, `pass_end` the last place to look at, and `pass_floor` the place
-- that the next one begins from. `version` grows with every step: of two servers that make the same step one succeeds.
CREATE TABLE alert_cursor (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  version    INTEGER NOT NULL,
  chain_seq  INTEGER NOT NULL,
  place      INTEGER NOT NULL,
  pass_to    INTEGER,
  pass_end   INTEGER,
  pass_floor INTEGER
) STRICT;
-- What was before this release is nobody's news.
INSERT INTO alert_cursor (id, version, chain_seq, place)
SELECT 1, 0, chain_count, coalesce((SELECT min(batch) FROM open_batches), last_seq + 1) FROM ledger_state WHERE id = 1;

-- Acts of operators that nobody has been told of yet: written with the act itself, in its transaction, by being null.
ALTER TABLE vault_keys ADD COLUMN revocation_told INTEGER;
UPDATE vault_keys SET revocation_told = 1 WHERE revoked_at IS NOT NULL;
CREATE INDEX vault_keys_untold ON vault_keys (revoked_at) WHERE revoked_at IS NOT NULL AND revocation_told IS NULL;
ALTER TABLE brakes ADD COLUMN told INTEGER;
UPDATE brakes SET told = 1;
CREATE INDEX brakes_untold ON brakes (engaged_at) WHERE told IS NULL;
