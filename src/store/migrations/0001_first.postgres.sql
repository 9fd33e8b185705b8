-- Money columns are integer micro-dollars; times are epoch milliseconds; ids are text.

CREATE TABLE vault_keys (
  id            TEXT COLLATE "C" PRIMARY KEY,
  token_hash    BYTEA NOT NULL UNIQUE,
  hint          TEXT COLLATE "C" NOT NULL,
  vendor        TEXT COLLATE "C" NOT NULL,
  label         TEXT COLLATE "C",
  agent_name    TEXT COLLATE "C",
  template      TEXT COLLATE "C",
  policy        TEXT COLLATE "C" NOT NULL,
  version       BIGINT NOT NULL,
  created_at    BIGINT NOT NULL,
  expires_at    BIGINT NOT NULL,
  revoked_at    BIGINT,
  revoke_reason TEXT COLLATE "C",
  metadata      TEXT COLLATE "C" NOT NULL,
  issued_by     TEXT COLLATE "C"
);
CREATE INDEX vault_keys_label ON vault_keys (label) WHERE label IS NOT NULL;
CREATE INDEX vault_keys_active ON vault_keys (expires_at) WHERE revoked_at IS NULL;

-- What is used of a budget in one window: settled + held + unresolved.
CREATE TABLE counters (
  budget_id    TEXT COLLATE "C" NOT NULL,
  window_start BIGINT NOT NULL,
  used         BIGINT NOT NULL CHECK (used >= 0),
  PRIMARY KEY (budget_id, window_start)
);

-- One final row per call with a known key, and one per later correction of a call, which refers to it. Rows are only ever
-- added. `seq` is the order in which the calls were decided, `chain_seq` the order in which their rows became final: that
-- of the hash chain. `charges` is what the hold put on which counters.
CREATE TABLE audit_rows (
  seq                     BIGINT PRIMARY KEY,
  chain_seq               BIGINT NOT NULL,
  id                      TEXT COLLATE "C" NOT NULL,
  refers_to               TEXT COLLATE "C",
  called_at               BIGINT NOT NULL,
  finished_at             BIGINT NOT NULL,
  agent_run_id            TEXT COLLATE "C",
  agent_run_label         TEXT COLLATE "C",
  agent_name              TEXT COLLATE "C",
  vault_key_id            TEXT COLLATE "C" NOT NULL,
  vendor                  TEXT COLLATE "C" NOT NULL,
  method                  TEXT COLLATE "C" NOT NULL,
  endpoint                TEXT COLLATE "C" NOT NULL,
  path                    TEXT COLLATE "C" NOT NULL,
  policy_verdict          TEXT COLLATE "C" NOT NULL,
  verdict_rule            TEXT COLLATE "C" NOT NULL,
  state                   TEXT COLLATE "C" NOT NULL CHECK (state IN ('refused', 'settled', 'released', 'unresolved')),
  exposure_micros         BIGINT NOT NULL CHECK (exposure_micros >= 0),
  cost_micros             BIGINT,
  cost_source             TEXT COLLATE "C" NOT NULL,
  cap_usage_after_micros  BIGINT,
  customer_scope_id       TEXT COLLATE "C",
  vendor_request_id       TEXT COLLATE "C",
  vendor_txn_id           TEXT COLLATE "C",
  triggering_event_id     TEXT COLLATE "C",
  idempotency_key_hash    TEXT COLLATE "C",
  http_status             BIGINT,
  latency_ms              DOUBLE PRECISION,
  upstream_latency_ms     DOUBLE PRECISION,
  flag                    TEXT COLLATE "C",
  metadata                TEXT COLLATE "C",
  charges                 TEXT COLLATE "C",
  prev_hash               BYTEA NOT NULL,
  hash                    BYTEA NOT NULL
);
-- Every index costs a page in every commit. A run's rows are found through its keys, a time range through the ids, which
-- begin with the time, and a vendor's day within that range.
CREATE UNIQUE INDEX audit_rows_id ON audit_rows (id);
CREATE INDEX audit_rows_key ON audit_rows (vault_key_id);
CREATE INDEX audit_rows_run_id ON audit_rows (agent_run_id) WHERE agent_run_id IS NOT NULL AND agent_run_id IS DISTINCT FROM agent_run_label;
CREATE INDEX audit_rows_refused ON audit_rows (policy_verdict) WHERE policy_verdict <> 'allowed';
CREATE INDEX audit_rows_customer ON audit_rows (customer_scope_id) WHERE customer_scope_id IS NOT NULL;
CREATE INDEX audit_rows_event ON audit_rows (triggering_event_id) WHERE triggering_event_id IS NOT NULL;
CREATE INDEX audit_rows_unresolved ON audit_rows (state) WHERE state = 'unresolved';
CREATE UNIQUE INDEX audit_rows_refers_to ON audit_rows (refers_to) WHERE refers_to IS NOT NULL;

-- The calls in flight, one row per batch of holds: the first half of what will be their audit rows, as a JSON list in the
-- order of src/store/sqlite/open-call.ts. A batch goes when the last of its calls is final.
CREATE TABLE open_batches (
  batch BIGINT PRIMARY KEY,
  owner TEXT COLLATE "C" NOT NULL,
  calls TEXT COLLATE "C" NOT NULL
);

-- Calls whose repeats are not calls of their own: by the hash of their Idempotency-Key, or of the whole request under a
-- dedup_window. The answer is sealed with the master key. Rows go when they expire.
CREATE TABLE recorded_calls (
  vault_key_id  TEXT COLLATE "C" NOT NULL,
  slot          TEXT COLLATE "C" NOT NULL,
  request_hash  TEXT COLLATE "C" NOT NULL,
  state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('in_flight', 'answered', 'unknown')),
  call_id       TEXT COLLATE "C" NOT NULL,
  held_by       TEXT COLLATE "C" NOT NULL,
  vendor_key    TEXT COLLATE "C",
  status        BIGINT,
  sealed_answer BYTEA,
  expires_at    BIGINT NOT NULL,
  PRIMARY KEY (vault_key_id, slot)
);
CREATE INDEX recorded_calls_expires ON recorded_calls (expires_at);

CREATE TABLE leases (
  owner TEXT COLLATE "C" PRIMARY KEY,
  until BIGINT NOT NULL
);

-- The key of the hash chain, sealed under the master key. One row; never another once there is a row in the chain.
CREATE TABLE chain_key (
  "only" BIGINT PRIMARY KEY CHECK ("only" = 1),
  id     TEXT COLLATE "C" NOT NULL,
  sealed BYTEA NOT NULL
);

-- What stands for a range of the chain whose rows retention has removed: where it began and ended, the sum of its costs,
-- and in `sums` what its calls put on which counters, as JSON [budget_id, window_start, amount]. `seal` is a keyed hash of
-- all of it.
CREATE TABLE audit_segments (
  first_chain_seq BIGINT PRIMARY KEY,
  last_chain_seq  BIGINT NOT NULL UNIQUE,
  prev_hash       BYTEA NOT NULL,
  hash            BYTEA NOT NULL,
  cost            TEXT COLLATE "C" NOT NULL,
  first_at        BIGINT NOT NULL,
  last_at         BIGINT NOT NULL,
  pruned_at       BIGINT NOT NULL,
  sums            TEXT COLLATE "C" NOT NULL,
  seal            BYTEA NOT NULL
);

CREATE TABLE brakes (
  id           TEXT COLLATE "C" PRIMARY KEY,
  vendor       TEXT COLLATE "C",
  label_prefix TEXT COLLATE "C",
  reason       TEXT COLLATE "C",
  engaged_at   BIGINT NOT NULL,
  released_at  BIGINT
);
CREATE INDEX brakes_engaged ON brakes (engaged_at) WHERE released_at IS NULL;

-- Stops with --hard, for the servers that have calls in flight: a day of them. `last_call_seq` is the newest
-- decided at that moment; later calls are not concerned. `scope` is null where only `key_ids` counts.
CREATE TABLE hard_stops (
  seq           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  stopped_at    BIGINT NOT NULL,
  last_call_seq BIGINT NOT NULL,
  key_ids       TEXT COLLATE "C" NOT NULL,
  scope         TEXT COLLATE "C"
);

CREATE TABLE vendors (
  name          TEXT COLLATE "C" PRIMARY KEY,
  account_id    TEXT COLLATE "C" NOT NULL,
  username      TEXT COLLATE "C" NOT NULL,
  origin        TEXT COLLATE "C",
  is_private    BIGINT NOT NULL,
  sealed_secret BYTEA,
  secret_id     TEXT COLLATE "C" NOT NULL,
  version       BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL
);

CREATE TABLE control_tokens (
  id               TEXT COLLATE "C" PRIMARY KEY,
  token_hash       BYTEA NOT NULL UNIQUE,
  role             TEXT COLLATE "C" NOT NULL,
  name             TEXT COLLATE "C",
  templates        TEXT COLLATE "C",
  max_daily_micros BIGINT,
  created_at       BIGINT NOT NULL,
  revoked_at       BIGINT
);

CREATE TABLE remembered_answers (
  scope         TEXT COLLATE "C" NOT NULL,
  key           TEXT COLLATE "C" NOT NULL,
  body_hash     TEXT COLLATE "C" NOT NULL,
  sealed_answer BYTEA NOT NULL,
  created_at    BIGINT NOT NULL,
  PRIMARY KEY (scope, key)
);
CREATE INDEX remembered_answers_created ON remembered_answers (created_at);

-- Calls without a recognisable key: a count per UTC day, so that a flood of bad tokens cannot fill the disk.
CREATE TABLE unknown_key_calls (
  day   BIGINT PRIMARY KEY,
  calls BIGINT NOT NULL
);

-- What every batch of the ledger begins from: the latest time that it has used, so that its clock never runs backwards,
-- across processes and restarts; the newest `seq`; the head of the hash chain, with the number of its rows and the sum of
-- their costs; and, after a restore, why keys are frozen (JSON).
CREATE TABLE ledger_state (
  id          BIGINT PRIMARY KEY CHECK (id = 1),
  now         BIGINT NOT NULL,
  last_seq    BIGINT NOT NULL,
  chain_count BIGINT NOT NULL,
  chain_hash  BYTEA NOT NULL,
  chain_cost  TEXT COLLATE "C" NOT NULL,
  frozen      TEXT COLLATE "C"
);
INSERT INTO ledger_state (id, now, last_seq, chain_count, chain_hash, chain_cost) VALUES (1, 0, 0, 0, decode(repeat('00', 32), 'hex'), '0');

-- The time line of the server that the ledger was last confirmed on. Another one means that a stand-by has taken over, or an
-- archive was restored: what was committed last may be missing.
CREATE TABLE ledger_timeline (
  id       BIGINT PRIMARY KEY CHECK (id = 1),
  timeline TEXT COLLATE "C"
);
INSERT INTO ledger_timeline (id, timeline) VALUES (1, NULL);

-- For operators who query the file themselves: dollars as numbers, times as ISO 8601, and the other spellings in use.
CREATE VIEW calls_in_flight AS
SELECT
  (value ->> 0)::int8 AS seq, value ->> 1 AS id, (value ->> 2)::int8 AS called_at, value ->> 3 AS agent_run_id,
  value ->> 4 AS agent_run_label, value ->> 5 AS agent_name, value ->> 6 AS vault_key_id, value ->> 7 AS vendor,
  value ->> 8 AS method, value ->> 9 AS endpoint, value ->> 10 AS path, value ->> 11 AS customer_scope_id,
  value ->> 12 AS triggering_event_id, value ->> 13 AS idempotency_key_hash, value ->> 14 AS metadata,
  value ->> 15 AS verdict_rule, (value ->> 16)::int8 AS exposure_micros, (value ->> 17)::int8 AS cap_usage_after_micros,
  value ->> 18 AS charges, batch, owner
FROM open_batches, json_array_elements(open_batches.calls::json) AS value
WHERE NOT EXISTS (SELECT 1 FROM audit_rows WHERE audit_rows.id = value ->> 1);

CREATE FUNCTION iso_8601(epoch_ms BIGINT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS
$$ SELECT to_char(to_timestamp(epoch_ms / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

CREATE VIEW calls AS
SELECT
  id,
  iso_8601(called_at) AS called_at,
  iso_8601(finished_at) AS finished_at,
  agent_run_id, agent_run_label, agent_name, vault_key_id, vendor, method, endpoint, path,
  policy_verdict, verdict_rule, state,
  exposure_micros / 1000000.0 AS exposure_usd,
  cost_micros / 1000000.0 AS cost_usd,
  cost_source,
  cap_usage_after_micros / 1000000.0 AS cap_usage_after_usd,
  customer_scope_id, vendor_request_id, vendor_txn_id, triggering_event_id, idempotency_key_hash,
  http_status, latency_ms, upstream_latency_ms, flag,
  jsonb_strip_nulls(jsonb_build_object('agent_run_id', agent_run_id, 'agent_name', agent_name))
    || coalesce(metadata, '{}')::jsonb AS metadata,
  refers_to, encode(prev_hash, 'hex') AS prev_hash, encode(hash, 'hex') AS hash,
  iso_8601(called_at) AS ts,
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
) AS rows_and_holds;

CREATE VIEW audit_log AS SELECT * FROM calls;
