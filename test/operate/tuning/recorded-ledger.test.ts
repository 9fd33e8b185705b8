import { expect, test } from "bun:test";
import { RecordedLedger } from "../../../src/operate/tuning/recorded-ledger.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { recordedRow } from "./recorded-row.ts";

test("a repeat that was answered from the record counts in no rate", () => {
  const policy = compilePolicy({ vendor: "stripe", allowed_endpoints: ["* /**"], requests_per_hour: 2 });
  const ledger = new RecordedLedger(new Map([["stripe", policy]]), new Map());
  const flags = [null, "replays:call_0", "replays:call_0", null, null];
  expect(flags.map((flag, seq) => ledger.hold(recordedRow(seq, { flag }), "charge").admitted)).toEqual([
    true,
    true,
    true,
    true,
    false,
  ]);
});
