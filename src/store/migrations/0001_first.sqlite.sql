-- Money columns are integer micro-dollars; times are epoch milliseconds; ids are text.

CREATE TABLE vault_keys (
  id            TEXT PRIMARY KEY,
  token_hash    BLOB NOT NULL UNIQUE,
  hint          TEXT NOT NULL,
  vendor        TEXT NOT NULL,
  label         TEXT,
  agent_name    TEXT,
  template      TEXT,
  policy        TEXT NOT NULL,
  version       INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  revoked_at    INTEGER,
  revoke_reason TEXT,
  metadata      TEXT NOT NULL,
  issued_by     TEXT
) STRICT;
CREATE INDEX vault_keys_label ON vault_keys (label) WHERE label IS NOT NULL;
CREATE INDEX vault_keys_active ON vault_keys (expires_at) WHERE revoked_at IS NULL;

-- What is used of a budget in one window: settled + held + unresolved.
CREATE TABLE counters (
  budget_id    TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  used         INTEGER NOT NULL CHECK (used >= 0),
  PRIMARY KEY (budget_id, window_start)
) STRICT, WITHOUT ROWID;

-- One final row per call with a known key, and one per later correction of a call, which refers to it. Rows are only ever
-- added. `seq` is the order in which the calls were decided, `chain_seq` the order in which their rows became final: that
-- of the hash chain. `charges` is what the hold put on which counters.
CREATE TABLE audit_rows (
  seq                     INTEGER PRIMARY KEY,
  chain_seq               INTEGER NOT NULL,
  id                      TEXT NOT NULL,
  refers_to               TEXT,
  called_at               INTEGER NOT NULL,
  finished_at             INTEGER NOT NULL,
  agent_run_id            TEXT,
  agent_run_label         TEXT,
  agent_name              TEXT,
  vault_key_id            TEXT NOT NULL,
  vendor                  TEXT NOT NULL,
  method                  TEXT NOT NULL,
  endpoint                TEXT NOT NULL,
  path                    TEXT NOT NULL,
  policy_verdict          TEXT NOT NULL,
  verdict_rule            TEXT NOT NULL,
  state                   TEXT NOT NULL CHECK (state IN ('refused', 'settled', 'released', 'unresolved')),
  exposure_micros         INTEGER NOT NULL CHECK (exposure_micros >= 0),
  cost_micros             INTEGER,
  cost_source             TEXT NOT NULL,
  cap_usage_after_micros  INTEGER,
  customer_scope_id       TEXT,
  vendor_request_id       TEXT,
  vendor_txn_id           TEXT,
  triggering_event_id     TEXT,
  idempotency_key_hash    TEXT,
  http_status             INTEGER,
  latency_ms              REAL,
  upstream_latency_ms     REAL,
  flag                    TEXT,
  metadata                TEXT,
  charges                 TEXT,
  prev_hash               BLOB NOT NULL,
  hash                    BLOB NOT NULL
) STRICT;
-- Every index costs a page in every commit. A run's rows are found through its keys, a time range through the ids, which
-- begin with the time, and a vendor's day within that range.
CREATE UNIQUE INDEX audit_rows_id ON audit_rows (id);
CREATE INDEX audit_rows_key ON audit_rows (vault_key_id);
CREATE INDEX audit_rows_run_id ON audit_rows (agent_run_id) WHERE agent_run_id IS NOT NULL AND agent_run_id IS NOT agent_run_label;
CREATE INDEX audit_rows_refused ON audit_rows (policy_verdict) WHERE policy_verdict <> 'allowed';
CREATE INDEX audit_rows_customer ON audit_rows (customer_scope_id) WHERE customer_scope_id IS NOT NULL;
CREATE INDEX audit_rows_event ON audit_rows (triggering_event_id) WHERE triggering_event_id IS NOT NULL;
CREATE INDEX audit_rows_unresolved ON audit_rows (state) WHERE state = 'unresolved';
CREATE UNIQUE INDEX audit_rows_refers_to ON audit_rows (refers_to) WHERE refers_to IS NOT NULL;

-- The calls in flight, one row per batch of holds: the first half of what will be their audit rows, as a JSON list in the
-- order of src/store/sqlite/open-call.ts. A batch goes when the last of its calls is final.
CREATE TABLE open_batches (
  batch INTEGER PRIMARY KEY,
  owner TEXT NOT NULL,
  calls TEXT NOT NULL
) STRICT;

-- Calls whose repeats are not calls of their own: by the hash of their Idempotency-Key, or of the whole request under a
-- dedup_window. The answer is sealed with the master key. Rows go when they expire.
CREATE TABLE recorded_calls (
  vault_key_id  TEXT NOT NULL,
  slot          TEXT NOT NULL,
  request_hash  TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('in_flight', 'answered', 'unknown')),
  call_id       TEXT NOT NULL,
  held_by       TEXT NOT NULL,
  vendor_key    TEXT,
  status        INTEGER,
  sealed_answer BLOB,
  expires_at    INTEGER NOT NULL,
  PRIMARY KEY (vault_key_id, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX recorded_calls_expires ON recorded_calls (expires_at);

CREATE TABLE leases (
  owner TEXT PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The key of the hash chain, sealed under the master key. One row; never another once there is a row in the chain.
CREATE TABLE chain_key (
  only   INTEGER PRIMARY KEY CHECK (only = 1),
  id     TEXT NOT NULL,
  sealed BLOB NOT NULL
) STRICT;

-- What stands for a range of the chain whose rows retention has removed: where it began and ended, the sum of its costs,
-- and in `sums` what its calls put on which counters, as JSON [budget_id, window_start, amount]. `seal` is a keyed hash of
-- all of it.
CREATE TABLE audit_segments (
  first_chain_seq INTEGER PRIMARY KEY,
  last_chain_seq  INTEGER NOT NULL UNIQUE,
  prev_hash       BLOB NOT NULL,
  hash            BLOB NOT NULL,
  cost            TEXT NOT NULL,
  first_at        INTEGER NOT NULL,
  last_at         INTEGER NOT NULL,
  pruned_at       INTEGER NOT NULL,
  sums            TEXT NOT NULL,
  seal            BLOB NOT NULL
) STRICT;

CREATE TABLE brakes (
  id           TEXT PRIMARY KEY,
  vendor       TEXT,
  label_prefix TEXT,
  reason       TEXT,
  engaged_at   INTEGER NOT NULL,
  released_at  INTEGER
) STRICT;
CREATE INDEX brakes_engaged ON brakes (engaged_at) WHERE released_at IS NULL;

-- Stops with --hard, for the servers that have calls in flight: a day of them. `last_call_seq` is the newest
-- decided at that moment; later calls are not concerned. `scope` is null where only `key_ids` counts.
CREATE TABLE hard_stops (
  seq           INTEGER PRIMARY KEY AUTOINCREMENT,
  stopped_at    INTEGER NOT NULL,
  last_call_seq INTEGER NOT NULL,
  key_ids       TEXT NOT NULL,
  scope         TEXT
) STRICT;

CREATE TABLE vendors (
  name          TEXT PRIMARY KEY,
  account_id    TEXT NOT NULL,
  username      TEXT NOT NULL,
  origin        TEXT,
  is_private    INTEGER NOT NULL,
  sealed_secret BLOB,
  secret_id     TEXT NOT NULL,
  version       INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE control_tokens (
  id               TEXT PRIMARY KEY,
  token_hash       BLOB NOT NULL UNIQUE,
  role             TEXT NOT NULL,
  name             TEXT,
  templates        TEXT,
  max_daily_micros INTEGER,
  created_at       INTEGER NOT NULL,
  revoked_at       INTEGER
) STRICT;

CREATE TABLE remembered_answers (
  scope         TEXT NOT NULL,
  key           TEXT NOT NULL,
  body_hash     TEXT NOT NULL,
  sealed_answer BLOB NOT NULL,
  created_at    INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX remembered_answers_created ON remembered_answers (created_at);

-- Calls without a recognisable key: a count per UTC day, so that a flood of bad tokens cannot fill the disk.
CREATE TABLE unknown_key_calls (
  day   INTEGER PRIMARY KEY,
  calls INTEGER NOT NULL
) STRICT;

-- What every batch of the ledger begins from: the latest time that it has used, so that its clock never runs backwards,
-- across processes and restarts; the newest `seq`; the head of the hash chain, with the number of its rows and the sum of
-- their costs; and, after a restore, why keys are frozen (JSON).
CREATE TABLE ledger_state (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  now         INTEGER NOT NULL,
  last_seq    INTEGER NOT NULL,
  chain_count INTEGER NOT NULL,
  chain_hash  BLOB NOT NULL,
  chain_cost  TEXT NOT NULL,
  frozen      TEXT
) STRICT;
INSERT INTO ledger_state (id, now, last_seq, chain_count, chain_hash, chain_cost) VALUES (1, 0, 0, 0, zeroblob(32), '0');

-- For operators who query the file themselves: dollars as numbers, times as ISO 8601, and the other spellings in use.
CREATE VIEW calls_in_flight AS
SELECT
  value ->> 0 AS seq, value ->> 1 AS id, value ->> 2 AS called_at, value ->> 3 AS agent_run_id, value ->> 4 AS agent_run_label,
  value ->> 5 AS agent_name, value ->> 6 AS vault_key_id, value ->> 7 AS vendor, value ->> 8 AS method, value ->> 9 AS endpoint,
  value ->> 10 AS path, value ->> 11 AS customer_scope_id, value ->> 12 AS triggering_event_id,
  value ->> 13 AS idempotency_key_hash, value ->> 14 AS metadata, value ->> 15 AS verdict_rule,
  CAST(value ->> 16 AS INTEGER) AS exposure_micros, CAST(value ->> 17 AS INTEGER) AS cap_usage_after_micros,
  value ->> 18 AS charges, batch, owner
FROM open_batches, json_each(open_batches.calls)
WHERE NOT EXISTS (SELECT 1 FROM audit_rows WHERE audit_rows.id = value ->> 1);

CREATE VIEW calls AS
SELECT
  id,
  strftime('%Y-%m-%dT%H:%M:%fZ', called_at / 1000.0, 'unixepoch') AS called_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch') AS finished_at,
  agent_run_id, agent_run_label, agent_name, vault_key_id, vendor, method, endpoint, path,
  policy_verdict, verdict_rule, state,
  exposure_micros / 1000000.0 AS exposure_usd,
  cost_micros / 1000000.0 AS cost_usd,
  cost_source,
  cap_usage_after_micros / 1000000.0 AS cap_usage_after_usd,
  customer_scope_id, vendor_request_id, vendor_txn_id, triggering_event_id, idempotency_key_hash,
  http_status, latency_ms, upstream_latency_ms, flag,
  json_patch(json_object('agent_run_id', agent_run_id, 'agent_name', agent_name), coalesce(metadata, '{}')) AS metadata,
  refers_to, lower(hex(prev_hash)) AS prev_hash, lower(hex(hash)) AS hash,
  strftime('%Y-%m-%dT%H:%M:%fZ', called_at / 1000.0, 'unixepoch') AS ts,
  cost_micros / 1000000.0 AS cost_usd_parsed,
  cost_micros / 1000000.0 AS amount_usd,
  policy_verdict AS verdict
FROM (
  SELECT id, called_at, finished_at, agent_run_id, agent_run_label, agent_name, vault_key_id, vendor, method, endpoint, path,
  policy_verdict, verdict_rule, state, exposure_micros, cost_micros, cost_source, cap_usage_after_micros, customer_scope_id,
  vendor_request_id, vendor_txn_id, triggering_event_id, idempotency_key_hash, http_status, latency_ms, upstream_latency_ms,
  flag, metadata, refers_to, prev_hash, hash
  FROM audit_rows
  UNION ALL
  SELECT id, called_at, NULL, agent_run_id, agent_run_label, agent_name, vault_key_id, vendor, method, endpoint, path,
    'allowed', verdict_rule, 'held', exposure_micros, NULL, 'none', cap_usage_after_micros, customer_scope_id,
    NULL, NULL, triggering_event_id, idempotency_key_hash, NULL, NULL, NULL, NULL, metadata, NULL, NULL, NULL
  FROM calls_in_flight
);

CREATE VIEW audit_log AS SELECT * FROM calls;
