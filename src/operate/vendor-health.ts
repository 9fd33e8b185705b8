import type { VendorOutcomes } from "../store/vendor-outcomes.ts";
import type { VendorView } from "./control-plane.ts";
import { isoTime } from "./key-view.ts";

/** How a vendor's newest calls went. */
export interface VendorHealthView {
  /** Calls to the vendor among the newest that were looked at. */
  readonly calls: number;
  /** Those of them that it did not answer, answered 5xx, or whose secret it did not take (401). */
  readonly failed: number;
  readonly last_success_at: string | null;
  readonly last_failure_at: string | null;
  /** `upstream_timeout`, `http_503`; null where none failed. */
  readonly last_failure: string | null;
}

/** A vendor in the list of all. */
export interface ListedVendorView extends VendorView {
  readonly health: VendorHealthView;
}

/**
 * How many of the newest rows are looked at: enough for a vendor that is called at all, few enough to be asked for every
 * few seconds on a table of millions.
 */
export const HEALTH_ROWS = 5000;

export function healthView(outcomes: VendorOutcomes | undefined): VendorHealthView {
  const { good, bad } = outcomes ?? {};
  return {
    calls: (good?.calls ?? 0) + (bad?.calls ?? 0),
    failed: bad?.calls ?? 0,
    last_success_at: good ? isoTime(good.lastAt) : null,
    last_failure_at: bad ? isoTime(bad.lastAt) : null,
    last_failure: bad ? (bad.lastVerdict === "allowed" ? `http_${bad.lastHttpStatus}` : bad.lastVerdict) : null,
  };
}
