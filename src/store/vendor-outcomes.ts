import type { Verdict } from "../core/verdict.ts";
import type { EpochMs } from "../core/window.ts";

/** Calls of one vendor that went the same way. */
export interface Outcomes {
  readonly calls: number;
  readonly lastAt: EpochMs;
  readonly lastVerdict: Verdict;
  readonly lastHttpStatus: number | null;
}

/** How the newest forwarded calls to a vendor went; undefined where none went so. */
export interface VendorOutcomes {
  readonly good: Outcomes | undefined;
  /** Not answered, answered 5xx, or refused for the secret (401). */
  readonly bad: Outcomes | undefined;
}

/** The part of a store that tells how vendors do. */
export interface VendorOutcomeReads {
  /** By vendor, from the newest `rows` audit rows alone. */
  vendorOutcomes(rows: number): Promise<ReadonlyMap<string, VendorOutcomes>>;
}

/** One row of `outcomesQuery`, as every driver gives it. */
export interface OutcomesFound {
  readonly vendor: string;
  readonly bad: unknown;
  readonly calls: bigint | number;
  readonly last_at: bigint | number;
  readonly policy_verdict: string;
  readonly http_status: bigint | number | null;
}

/** Every store's question: the newest of a vendor's good calls and of its bad ones, and how many there are. */
export function outcomesQuery(rows: number): string {
  return `
    SELECT vendor, bad, calls, called_at AS last_at, policy_verdict, http_status
    FROM (
      SELECT vendor, bad, called_at, policy_verdict, http_status,
        count(*) OVER (PARTITION BY vendor, bad) AS calls,
        row_number() OVER (PARTITION BY vendor, bad ORDER BY called_at DESC, seq DESC) AS place
      FROM (
        SELECT seq, vendor, called_at, policy_verdict, http_status,
          (policy_verdict <> 'allowed' OR coalesce(http_status, 0) >= 500 OR coalesce(http_status, 0) = 401) AS bad
        FROM (SELECT * FROM audit_rows ORDER BY seq DESC LIMIT ${Math.floor(rows)}) AS newest
        WHERE refers_to IS NULL AND state <> 'refused'
      ) AS forwarded
    ) AS ranked
    WHERE place = 1`;
}

export function outcomesByVendor(found: readonly OutcomesFound[]): ReadonlyMap<string, VendorOutcomes> {
  const vendors = new Set(found.map(({ vendor }) => vendor));
  return new Map(
    [...vendors].map((vendor) => {
      const own = found.filter((one) => one.vendor === vendor);
      return [vendor, { good: outcomes(own, false), bad: outcomes(own, true) }];
    }),
  );
}

function outcomes(found: readonly OutcomesFound[], isBad: boolean): Outcomes | undefined {
  const one = found.find(({ bad }) => Boolean(bad) === isBad);
  return (
    one && {
      calls: Number(one.calls),
      lastAt: Number(one.last_at),
      lastVerdict: one.policy_verdict as Verdict,
      lastHttpStatus: one.http_status === null ? null : Number(one.http_status),
    }
  );
}
