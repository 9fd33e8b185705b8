import { expect, test } from "bun:test";
import { AUDIT_COLUMNS, CSV_HEADER, csvLine, ndjsonLine, presentRow } from "../../src/audit/present.ts";
import type { AuditRow } from "../../src/audit/row.ts";

const ROW: AuditRow = {
  seq: 7,
  refersTo: null,
  id: "call_1",
  calledAt: Date.UTC(2026, 0, 1),
  finishedAt: Date.UTC(2026, 0, 1, 0, 0, 1),
  agentRunId: "run-1",
  agentRunLabel: "ray-billing/01",
  agentName: null,
  vaultKeyId: "vk_1",
  vendor: "stripe",
  method: "POST",
  endpoint: "/v1/charges/*",
  path: "/v1/charges/ch_1",
  policyVerdict: "allowed",
  verdictRule: "allowed_endpoints[0]",
  state: "settled",
  exposureMicros: 30_000_000n,
  costMicros: 29_990_900n,
  costSource: "vendor_response",
  capUsageAfterMicros: 1_234_500_000n,
  customerScopeId: "cus_1",
  vendorRequestId: "req_1",
  vendorTxnId: "ch_1",
  triggeringEventId: null,
  idempotencyKeyHash: null,
  httpStatus: 200,
  latencyMs: 12.5,
  upstreamLatencyMs: 10,
  flag: null,
  metadata: '{"agent_id":"billing_agent"}',
  prevHash: null,
  hash: null,
};

const NAMES =
  "id called_at finished_at agent_run_id agent_run_label agent_name vault_key_id vendor method endpoint path " +
  "policy_verdict verdict_rule state exposure_usd cost_usd cost_source cap_usage_after_usd customer_scope_id " +
  "vendor_request_id vendor_txn_id triggering_event_id idempotency_key_hash http_status latency_ms " +
  "upstream_latency_ms flag metadata refers_to prev_hash hash";

test("a row has the documented names in their order", () => {
  expect(Object.keys(presentRow(ROW)).join(" ")).toBe(NAMES);
  expect(CSV_HEADER).toBe(`${NAMES.replaceAll(" ", ",")}\r\n`);
});

test("dollars are exact decimal text, times ISO 8601, metadata an object", () => {
  expect(presentRow(ROW)).toMatchObject({
    called_at: "2026-01-01T00:00:00.000Z",
    finished_at: "2026-01-01T00:00:01.000Z",
    exposure_usd: "30.00",
    cost_usd: "29.9909",
    cap_usage_after_usd: "1234.50",
    latency_ms: 12.5,
    metadata: { agent_id: "billing_agent" },
  });
});

test("what is not known yet is null, not zero", () => {
  const held = presentRow({ ...ROW, state: "held", finishedAt: null, costMicros: null, capUsageAfterMicros: null });
  expect(held).toMatchObject({ finished_at: null, cost_usd: null, cap_usage_after_usd: null });
});

test("an NDJSON line is one JSON object and a line feed, whatever the run is called", () => {
  const line = ndjsonLine(presentRow({ ...ROW, agentRunLabel: 'a "b"\u2028\r\nc' }));
  expect(line.endsWith("}\n")).toBe(true);
  expect(line.slice(0, -1)).not.toContain("\n");
  expect(JSON.parse(line).agent_run_label).toBe('a "b"\u2028\r\nc');
});

/** The value of `column` as a CSV reader sees it. */
function csvValue(row: AuditRow, column: string): string {
  const fields: string[] = [];
  const line = csvLine(presentRow(row)).replace(/\r\n$/, "");
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
  }
  expect(fields).toHaveLength(AUDIT_COLUMNS.length);
  return fields[AUDIT_COLUMNS.indexOf(column)]!;
}

const CSV_CASES = [
  ["plain text", "run-1", "run-1"],
  ["a comma", "a,b", "a,b"],
  ["a quote", 'say "hi"', 'say "hi"'],
  ["a line break", "a\r\nb", "a\r\nb"],
  ["a formula", '=HYPERLINK("http://evil")', `'=HYPERLINK("http://evil")`],
  ["a plus", "+1", "'+1"],
  ["a minus", "-1", "'-1"],
  ["an at", "@SUM(A1)", "'@SUM(A1)"],
  ["a tab before a formula", "\t=1", "'\t=1"],
  ["an equals sign within", "a=1", "a=1"],
] as const;

test.each(CSV_CASES)("CSV carries %s so that no spreadsheet runs it", (_what, label, expected) => {
  expect(csvValue({ ...ROW, agentRunLabel: label }, "agent_run_label")).toBe(expected);
});

test("CSV leaves null empty, numbers bare and metadata as JSON", () => {
  expect(csvValue(ROW, "agent_name")).toBe("");
  expect(csvValue({ ...ROW, costMicros: -3_500_000n }, "cost_usd")).toBe("-3.50");
  expect(csvValue(ROW, "metadata")).toBe('{"agent_id":"billing_agent"}');
});
