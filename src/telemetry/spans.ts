import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { CallReport } from "./call-report.ts";
import type { Period } from "./period.ts";

/** W3C Trace Context, level 1: version 00 and nothing behind it; ids of zeros are none. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The agent's span that a call belongs to; a root of its own where `traceparent` is missing or is none. */
export function parentOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** How a call ended that is nobody's mistake but the vendor's or the server's: its span is an error. */
const FAILED: ReadonlySet<string> = new Set(["upstream_unreachable", "upstream_timeout", "store_unavailable"]);

/** How many spans a report makes. */
export function spanCount({ hold, forward }: CallReport): number {
  return 1 + (hold ? 1 : 0) + (forward ? 1 : 0);
}

/**
 * Makes the spans of a call that has ended: one for all of it, and within it for its hold and its way to the vendor and back.
 * @returns false where the call is not among those that are traced.
 */
export function makeSpans(tracer: Tracer, report: CallReport, showsRunLabels: boolean): boolean {
  const { receivedAt, whole, hold, forward, vendor, operation, outcome, vendorStatus } = report;
  const at = (elapsedMs: number) => receivedAt + (elapsedMs - whole.fromMs);
  const name = vendor === undefined ? "call" : `${vendor} ${operation ?? "call"}`;
  const span = tracer.startSpan(
    name,
    { kind: SpanKind.SERVER, startTime: at(whole.fromMs) },
    parentOf(report.traceparent),
  );
  if (!span.isRecording()) return false;
  span.setAttributes(attributesOf(report, showsRunLabels));
  if (FAILED.has(outcome)) span.setStatus({ code: SpanStatusCode.ERROR, message: outcome });
  const inside = trace.setSpan(ROOT_CONTEXT, span);
  const child = (title: string, kind: SpanKind, { fromMs, toMs }: Period, more: Attributes) =>
    tracer.startSpan(title, { kind, startTime: at(fromMs), attributes: more }, inside).end(at(toMs));
  if (hold) child("hold", SpanKind.INTERNAL, hold, {});
  const status = vendorStatus === undefined ? {} : { "http.response.status_code": vendorStatus };
  if (forward) child("forward", SpanKind.CLIENT, forward, { "keybrake.vendor": vendor!, ...status });
  span.end(at(whole.toMs));
  return true;
}

function attributesOf(report: CallReport, showsRunLabels: boolean): Attributes {
  const { callId, keyId, runLabel, vendor, method, endpoint, operation, outcome, rule, costMicros, vendorStatus } =
    report;
  const known: Record<string, string | number | null | undefined> = {
    "keybrake.call_id": callId,
    "keybrake.vendor": vendor,
    "keybrake.operation": operation,
    "keybrake.verdict": outcome,
    "keybrake.rule": rule,
    "keybrake.key_id": keyId,
    "keybrake.run_label": showsRunLabels ? runLabel : undefined,
    // A whole number, so that it stays exact; 1 USD is 1,000,000.
    "keybrake.cost_micros": Number(costMicros),
    "http.request.method": method,
    "http.route": endpoint,
    "http.response.status_code": vendorStatus,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined && value !== null));
}
