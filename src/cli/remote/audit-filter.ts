import type { AuditFilter } from "../../store/store.ts";

/** For what reads all rows of an audit. */
export const LONG_MS = 30 * 60_000;

/** What each part of a filter is called in a query of the API; a part without a name does not compile. */
const NAMES: Readonly<Record<Exclude<keyof AuditFilter, "callId">, string>> = {
  run: "run",
  labelContains: "label_contains",
  keyId: "key_id",
  vendor: "vendor",
  verdict: "verdict",
  state: "state",
  customer: "customer",
  triggeringEventId: "triggering_event_id",
  since: "since",
  until: "until",
};

/** The filter as texts: times in ISO 8601. */
export function filterQuery(filter: Omit<AuditFilter, "callId">): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(filter)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        NAMES[name as keyof typeof NAMES],
        typeof value === "number" ? new Date(value).toISOString() : String(value),
      ]),
  );
}
