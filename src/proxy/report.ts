import type { RefusalCode } from "../core/verdict.ts";
import type { CallReport } from "../telemetry/call-report.ts";
import type { Operation } from "../vendors/vendor.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Judged } from "./decide.ts";
import type { AdmittedCall, HeldCall } from "./hold.ts";
import type { ParsedRequest } from "./parse.ts";
import type { Ending } from "./settle.ts";

/**
 * Counts every call once, and tells of it where somebody listens (traces, the log at its debug level). Counting is all that
 * a call pays for otherwise: what is told is put together only for listeners.
 */

const NOT_KNOWN = {
  vendor: undefined,
  keyId: undefined,
  runLabel: undefined,
  method: undefined,
  endpoint: undefined,
  operation: undefined,
  rule: undefined,
  costMicros: 0n,
  vendorStatus: undefined,
  hold: undefined,
  forward: undefined,
} as const;

type What = Pick<CallReport, "outcome"> & Partial<CallReport>;

function tell(plane: DataPlane, { incoming, headers }: ParsedRequest, what: What): void {
  const { id: callId, receivedAt, startedMs: fromMs } = incoming;
  const whole = { fromMs, toMs: plane.clock.elapsed() };
  const traceparent = headers.get("traceparent");
  const report = { ...NOT_KNOWN, callId, receivedAt, whole, traceparent, ...what };
  for (const listener of plane.listeners) listener(report);
}

/** A call that is refused before its key is known, or because the store cannot say whose it is. */
export function reportStranger(plane: DataPlane, request: ParsedRequest, outcome: RefusalCode): void {
  plane.tallies.of(undefined).call(outcome);
  if (plane.listeners.length > 0) tell(plane, request, { outcome });
}

/** A call of a known key that is refused, or answered from the record. */
export function reportUnsent(
  plane: DataPlane,
  request: ParsedRequest,
  held: Exclude<HeldCall, { readonly state: "stale" | "held" }>,
  judged: Judged,
): void {
  const { facts, waited } = held;
  const outcome = held.state === "replayed" ? "replayed" : held.denial.code;
  plane.tallies.of(facts.vendor).call(outcome);
  plane.tallies.waited(waited);
  if (plane.listeners.length === 0) return;
  const rule = held.state === "replayed" ? "idempotency" : held.denial.rule;
  tell(plane, request, { ...keyFacts(facts), ...operationFacts(judged.operation), outcome, rule, hold: waited });
}

/** A call that was sent, or could not be. */
export function reportSent(plane: DataPlane, request: ParsedRequest, admitted: AdmittedCall, ending: Ending): void {
  const { facts, operation, waited } = admitted;
  const { outcome, verdict, cost, to } = ending;
  const tally = plane.tallies.of(facts.vendor);
  tally.call(verdict);
  plane.tallies.waited(waited);
  if (outcome.kind !== "not_sent") tally.forwards.observe(outcome.upstreamMs / 1000);
  if (plane.listeners.length === 0) return;
  const toMs = plane.clock.elapsed();
  tell(plane, request, {
    ...keyFacts(facts),
    ...operationFacts(operation),
    outcome: verdict,
    rule: ending.flag ?? undefined,
    costMicros: to === "settled" ? cost.micros : 0n,
    vendorStatus: outcome.kind === "not_sent" ? undefined : (outcome.status ?? undefined),
    hold: waited,
    forward: outcome.kind === "not_sent" ? undefined : { fromMs: toMs - outcome.upstreamMs, toMs },
  });
}

/** The route as it is declared: in the audit's endpoint of an unknown operation stands what the agent has asked for. */
function operationFacts(operation: Operation | undefined): Partial<CallReport> {
  return operation ? { operation: operation.name, endpoint: operation.route.slice(operation.route.indexOf("/")) } : {};
}

function keyFacts({ vendor, vaultKeyId, agentRunLabel, method }: AdmittedCall["facts"]): Partial<CallReport> {
  return { vendor, keyId: vaultKeyId, runLabel: agentRunLabel, method };
}
