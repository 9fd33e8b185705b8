import { bigint, customType, doublePrecision, pgTable, text } from "drizzle-orm/pg-core";
import type { StopScope } from "../../core/hard-stop.ts";
import type { PolicyDocument } from "../../policy/policy.ts";
import type { TrippedRule } from "../alert-queue.ts";

/** Micro-dollars: 64-bit integers, never through a float. */
const micros = customType<{ data: bigint; driverData: bigint }>({ dataType: () => "bigint" });

/** Epoch milliseconds and small counts. The driver hands out bigints; these all fit a number. */
const integer = customType<{ data: number; driverData: bigint | number }>({
  dataType: () => "bigint",
  fromDriver: (value) => Number(value),
});

const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });

/** Bytes in the database, lower-case hex to everybody else. */
const hex = customType<{ data: string; driverData: Uint8Array }>({
  dataType: () => "bytea",
  fromDriver: (value) => Buffer.from(value).toString("hex"),
});

function jsonText<T>(name: string) {
  return customType<{ data: T; driverData: string }>({
    dataType: () => "text",
    toDriver: (value) => JSON.stringify(value),
    fromDriver: (value) => JSON.parse(value) as T,
  })(name);
}

export const vaultKeys = pgTable("vault_keys", {
  id: text("id").primaryKey(),
  tokenHash: bytes("token_hash").notNull(),
  hint: text("hint").notNull(),
  vendors: jsonText<readonly string[]>("vendors").notNull(),
  label: text("label"),
  agentName: text("agent_name"),
  template: text("template"),
  policy: jsonText<PolicyDocument>("policy").notNull(),
  version: integer("version").notNull(),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at").notNull(),
  revokedAt: integer("revoked_at"),
  revokeReason: text("revoke_reason"),
  metadata: jsonText<Record<string, string>>("metadata").notNull(),
  issuedBy: text("issued_by"),
  autoRevoked: jsonText<TrippedRule>("auto_revoked"),
});

export const counters = pgTable("counters", {
  budgetId: text("budget_id").notNull(),
  windowStart: integer("window_start").notNull(),
  used: micros("used").notNull(),
});

export const auditRows = pgTable("audit_rows", {
  seq: integer("seq").primaryKey(),
  id: text("id").notNull(),
  refersTo: text("refers_to"),
  calledAt: integer("called_at").notNull(),
  finishedAt: integer("finished_at").notNull(),
  agentRunId: text("agent_run_id"),
  agentRunLabel: text("agent_run_label"),
  agentName: text("agent_name"),
  vaultKeyId: text("vault_key_id").notNull(),
  vendor: text("vendor").notNull(),
  method: text("method").notNull(),
  endpoint: text("endpoint").notNull(),
  path: text("path").notNull(),
  policyVerdict: text("policy_verdict").notNull(),
  verdictRule: text("verdict_rule").notNull(),
  state: text("state").notNull(),
  exposureMicros: micros("exposure_micros").notNull(),
  costMicros: micros("cost_micros"),
  costSource: text("cost_source").notNull(),
  capUsageAfterMicros: micros("cap_usage_after_micros"),
  customerScopeId: text("customer_scope_id"),
  vendorRequestId: text("vendor_request_id"),
  vendorTxnId: text("vendor_txn_id"),
  triggeringEventId: text("triggering_event_id"),
  idempotencyKeyHash: text("idempotency_key_hash"),
  httpStatus: integer("http_status"),
  latencyMs: doublePrecision("latency_ms"),
  upstreamLatencyMs: doublePrecision("upstream_latency_ms"),
  flag: text("flag"),
  metadata: text("metadata"),
  prevHash: hex("prev_hash").notNull(),
  hash: hex("hash").notNull(),
});

export const callsInFlight = pgTable("calls_in_flight", {
  vaultKeyId: text("vault_key_id").notNull(),
  exposureMicros: micros("exposure_micros").notNull(),
});

export const openBatches = pgTable("open_batches", {
  batch: integer("batch").primaryKey(),
  owner: text("owner").notNull(),
  calls: text("calls").notNull(),
});

export const ledgerState = pgTable("ledger_state", {
  id: integer("id").primaryKey(),
  lastSeq: integer("last_seq").notNull(),
});

export const leases = pgTable("leases", {
  owner: text("owner").primaryKey(),
  until: integer("until").notNull(),
});

export const brakes = pgTable("brakes", {
  id: text("id").primaryKey(),
  vendor: text("vendor"),
  labelPrefix: text("label_prefix"),
  reason: text("reason"),
  engagedAt: integer("engaged_at").notNull(),
  releasedAt: integer("released_at"),
});

export const hardStops = pgTable("hard_stops", {
  seq: bigint("seq", { mode: "number" }).primaryKey().generatedByDefaultAsIdentity(),
  stoppedAt: integer("stopped_at").notNull(),
  lastCallSeq: integer("last_call_seq").notNull(),
  keyIds: jsonText<string[]>("key_ids").notNull(),
  scope: jsonText<StopScope>("scope"),
});

export const vendors = pgTable("vendors", {
  name: text("name").primaryKey(),
  accountId: text("account_id").notNull(),
  username: text("username").notNull(),
  origin: text("origin"),
  isPrivate: integer("is_private").notNull(),
  sealedSecret: bytes("sealed_secret"),
  secretId: text("secret_id").notNull(),
  version: integer("version").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

export const controlTokens = pgTable("control_tokens", {
  id: text("id").primaryKey(),
  tokenHash: bytes("token_hash").notNull(),
  role: text("role").notNull(),
  name: text("name"),
  templates: jsonText<string[]>("templates"),
  maxDailyMicros: micros("max_daily_micros"),
  createdAt: integer("created_at").notNull(),
  revokedAt: integer("revoked_at"),
});

export const controlSessions = pgTable("control_sessions", {
  idHash: bytes("id_hash").primaryKey(),
  tokenId: text("token_id").notNull(),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at").notNull(),
});

export const rememberedAnswers = pgTable("remembered_answers", {
  scope: text("scope").notNull(),
  key: text("key").notNull(),
  bodyHash: text("body_hash").notNull(),
  sealedAnswer: bytes("sealed_answer").notNull(),
  createdAt: integer("created_at").notNull(),
});

export const unknownKeyCalls = pgTable("unknown_key_calls", {
  day: integer("day").primaryKey(),
  calls: integer("calls").notNull(),
});
