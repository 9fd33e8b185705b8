import type { AlertEvent, Alerts } from "../core/alert.ts";
import { formatUsd } from "../core/money.ts";
import type { Log, LogFields } from "../log.ts";

/** Alerts as lines of the server's log, one event a line: `call_unresolved`. */
export function logAlerts(log: Log): Alerts {
  return { raise: (event) => log.info(event.type.replace(".", "_"), fieldsOf(event)) };
}

/** An endpoint has `*` in place of ids, and a label is the operator's: nothing of a request's own is among them. */
function fieldsOf(event: AlertEvent): LogFields {
  return {
    call: event.callId,
    key: event.vaultKeyId,
    run: event.runLabel,
    vendor: event.vendor,
    endpoint: `${event.method} ${event.endpoint}`,
    exposure_usd: formatUsd(event.exposureMicros),
    why: event.why,
  };
}
