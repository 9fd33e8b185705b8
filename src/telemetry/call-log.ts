import { formatUsd } from "../core/money.ts";
import type { Log } from "../log.ts";
import type { CallListener } from "./call-report.ts";

/** A line for every call, where the log has the level debug. */
export function callLog(log: Log): CallListener | undefined {
  return (
    log.debug &&
    ((report) => {
      const { callId, vendor, keyId, method, endpoint, operation, outcome, rule, costMicros, vendorStatus } = report;
      const { whole, hold, forward } = report;
      log.debug?.("call", {
        call: callId,
        vendor,
        key: keyId,
        method,
        endpoint,
        operation,
        verdict: outcome,
        rule,
        cost_usd: formatUsd(costMicros),
        status: vendorStatus,
        ms: duration(whole),
        hold_ms: hold && duration(hold),
        forward_ms: forward && duration(forward),
      });
    })
  );
}

/** Milliseconds, to a microsecond. */
function duration({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): number {
  return Math.round((toMs - fromMs) * 1000) / 1000;
}
