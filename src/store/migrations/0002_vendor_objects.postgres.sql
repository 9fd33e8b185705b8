-- The vendors' objects whose amounts calls rely on or change. Of those that name one object only one is under way at a
-- time: no call may raise an amount between another's look-up and its end. `version` grows with each of them, so that a
-- hold knows whether what was looked up still stands; `remembered` is what the last answer showed (JSON).
CREATE TABLE vendor_objects (
  name       TEXT COLLATE "C" PRIMARY KEY,
  version    BIGINT NOT NULL,
  held_by    TEXT COLLATE "C",
  remembered TEXT COLLATE "C",
  touched_at BIGINT NOT NULL
);
CREATE INDEX vendor_objects_held ON vendor_objects (held_by) WHERE held_by IS NOT NULL;
CREATE INDEX vendor_objects_touched ON vendor_objects (touched_at);

-- Settled calls whose price the vendor tells later: where to ask (`path`, as the policy writes it), what that price leaves
-- out, how often it was asked for, and when it is due again.
CREATE TABLE reconciliations (
  call_id         TEXT COLLATE "C" PRIMARY KEY,
  vendor          TEXT COLLATE "C" NOT NULL,
  path            TEXT COLLATE "C" NOT NULL,
  besides_micros  BIGINT NOT NULL,
  attempts        BIGINT NOT NULL,
  due_at          BIGINT NOT NULL
);
CREATE INDEX reconciliations_due ON reconciliations (due_at);
