-- How far the audit rows have been read for the rules of auto_revoke, as alert_cursor has it for alerts.
CREATE TABLE revoke_cursor (
  id         BIGINT PRIMARY KEY CHECK (id = 1),
  version    BIGINT NOT NULL,
  chain_seq  BIGINT NOT NULL,
  place      BIGINT NOT NULL,
  pass_to    BIGINT,
  pass_end   BIGINT,
  pass_floor BIGINT
);
INSERT INTO revoke_cursor (id, version, chain_seq, place)
SELECT 1, 0, chain_count, coalesce((SELECT min(batch) FROM open_batches), last_seq + 1) FROM ledger_state WHERE id = 1;

-- What of a key's rules has revoked it (JSON); null where somebody did, or nobody.
ALTER TABLE vault_keys ADD COLUMN auto_revoked TEXT COLLATE "C";
-- Where no key has rules, no row is read for them.
CREATE INDEX vault_keys_auto_revoke ON vault_keys (expires_at)
  WHERE revoked_at IS NULL AND (policy::json ->> 'auto_revoke') IS NOT NULL;
