-- What calls put on a rolling budget, by the millisecond in which they were taken. `budget_id` ends in the window
-- (`@rolling_24h`), which is how long an entry counts.
CREATE TABLE rolling_entries (
  budget_id TEXT COLLATE "C" NOT NULL,
  taken_at  BIGINT NOT NULL,
  amount    BIGINT NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (budget_id, taken_at)
);

-- The sum of a budget's entries, so that no call adds up a day. From `due_at` on the oldest of them counts no more: who
-- touches the budget then takes off what has aged first.
CREATE TABLE rolling_totals (
  budget_id TEXT COLLATE "C" PRIMARY KEY,
  used      BIGINT NOT NULL CHECK (used >= 0),
  due_at    BIGINT NOT NULL
);
CREATE INDEX rolling_totals_due ON rolling_totals (due_at);
