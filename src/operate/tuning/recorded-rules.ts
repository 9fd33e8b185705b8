import type { AuditRow } from "../../audit/row.ts";
import type { Method } from "../../core/call.ts";
import { amountFinding, breachedEndpoint } from "../../policy/judge.ts";
import { customerOutside, customerUnknown } from "../../policy/judge-scope.ts";
import type { Finding } from "../../policy/judgement.ts";
import type { CompiledPolicy, PolicyDocument, PolicyFields } from "../../policy/policy.ts";
import { vendorPath } from "../../policy/vendor-policies.ts";
import { operationOf } from "../../vendors/operations.ts";
import type { Operation, Vendor } from "../../vendors/vendor.ts";

/** A policy to judge recorded calls to one vendor by. */
export interface ReplayPolicy {
  readonly policy: CompiledPolicy;
  readonly vendor: Vendor;
}

/** Fields that recorded calls are judged by: caps by the ledger's own decision, the others by `breachedRule`. */
const CHECKED = [
  "allowed_endpoints",
  "denied_endpoints",
  "max_amount_per_call_usd",
  "customers",
  "on_unknown_cost",
  "daily_usd_cap",
  "total_usd_cap",
  "daily_cap",
  "total_cap",
  "caps",
  "daily_usd_cap_total",
  "per_vendor_daily_caps",
  "daily_send_cap",
  "cap_window",
  "max_write_operations",
  "requests_per_minute",
  "requests_per_hour",
];
/** Fields that refuse no call for what it is. */
const NO_RULES = ["vendor", "vendors", "description", "idempotency", "expires_in"];

/**
 * The policy's fields that recorded calls cannot be held against: the audit has method, path, customer, what a call could
 * cost and did cost, and no parameters, recipients, senders, accounts or currencies.
 */
export function uncheckedFields(document: PolicyDocument): readonly string[] {
  const { vendors = {} } = document;
  const known = new Set([...CHECKED, ...NO_RULES]);
  const unchecked = (fields: PolicyFields, at: string) =>
    Object.keys(fields).flatMap((name) => (known.has(name) ? [] : [at + name]));
  const ofVendors = Object.entries(vendors).flatMap(([name, own]) => unchecked(own, vendorPath(name)));
  return [...unchecked(document, ""), ...ofVendors];
}

/**
 * The row with the dollars that the policy would hold and count for it: where nobody can tell what its operation costs,
 * those of `on_unknown_cost`, whatever was held then. A figure of the vendor's own stands, unless nothing is counted.
 */
export function heldBy<Row extends AuditRow>({ policy }: ReplayPolicy, operation: Operation, row: Row): Row {
  const { unknownCostMicros } = policy;
  if (operation.class !== "unknown" || unknownCostMicros === undefined) return row;
  const isRead = row.costSource !== "none" && unknownCostMicros > 0n;
  const costMicros = row.state === "settled" && !isRead ? unknownCostMicros : row.costMicros;
  return { ...row, exposureMicros: unknownCostMicros, costMicros };
}

export function operationOfRow(vendor: Vendor, { method, path }: AuditRow): Operation {
  return operationOf(vendor, method as Method, path);
}

/** The first rule that the recorded call breaks, in the order in which `judge` asks; caps come after. */
export function breachedRule(
  { policy, vendor }: ReplayPolicy,
  operation: Operation,
  row: AuditRow,
): Finding | undefined {
  const { customerScopeId } = row;
  const scope = customerScopeId === null ? {} : { customer: customerScopeId };
  return (
    breachedEndpoint(policy, operation, { method: row.method as Method, path: row.path }) ??
    unknownCost(policy, vendor, operation, row) ??
    customerOutside(policy, operation, scope) ??
    customerUnknown(policy, operation, scope, operation.class === "unknown") ??
    amountFinding(policy, { micros: row.exposureMicros })
  );
}

/** An operation that may cost, and nobody can say how much, is refused unless the policy says otherwise. */
function unknownCost(
  { unknownCostMicros }: CompiledPolicy,
  vendor: Vendor,
  operation: Operation,
  { method, endpoint }: AuditRow,
): Finding | undefined {
  if (operation.class !== "unknown" || unknownCostMicros !== undefined) return undefined;
  const message = `Keybrake: ${method} ${endpoint} of ${vendor.title} ${operation.reason ?? "may move money"}.`;
  return { code: "cost_unknown", rule: "unknown_cost", message };
}
