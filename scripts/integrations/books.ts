import type { Bench } from "../../test/harness/keybrake.ts";
import type { StripeDouble } from "./stripe-double.ts";

/** A row of `keybrake audit --json`, as far as scenarios look at it. */
export interface AuditRow {
  readonly agent_run_label: string | null;
  readonly vault_key_id: string | null;
  readonly policy_verdict: string;
  readonly state: string;
  readonly cost_usd: string | null;
  readonly endpoint: string | null;
}

/** A key of `keybrake key list --json`. */
export interface IssuedKeyRow {
  readonly id: string;
  readonly agent_run_label: string | null;
  readonly status: "active" | "revoked" | "expired";
  readonly revoke_reason: string | null;
}

export interface Capped {
  readonly label: string;
  /** What each charge costs. */
  readonly eachCents: number;
  /** Charges that went through. */
  readonly admitted: number;
  /** Calls that the cap refused: each tried once, or the framework has repeated it. */
  readonly refused: number;
  /** Rows that are neither: repeats of a call that are answered from the record or ask again. None where it is not said. */
  readonly otherRows?: number;
}

/** What the vendor and the audit say of a scenario. */
export interface Books {
  /** The audit's rows of a run. */
  audit(label: string): Promise<readonly AuditRow[]>;
  /** Every key that was issued, or those of one run. */
  keys(label?: string): Promise<readonly IssuedKeyRow[]>;
  /** The label of the one run there was. @throws Error where there were none or several. */
  onlyLabel(): Promise<string>;
  /** The vendor has made exactly these charges, in number and sum, over all runs of the scenario. @throws Error */
  expectCharged(charges: number, cents: number): void;
  /** The audit has exactly these rows of the run. @throws Error */
  expectAudited(capped: Capped): Promise<void>;
  /**
   * A run was stopped by its cap: the vendor has charged exactly `admitted` times, and the audit has that many settled
   * rows and `refused` refused ones. For scenarios with one run; with several use the two above. @throws Error
   */
  expectCapped(capped: Capped): Promise<void>;
  /** There are keys with this label, and all are revoked. @throws Error */
  expectRevoked(label: string): Promise<void>;
}

const ROWS_MAX = "100000";
/** Rows are written with the batch behind the answer: so many looks, 50 ms apart, until they are complete. */
const LOOKS_MAX = 100;

export function makeBooks({ json }: Pick<Bench, "json">, stripe: StripeDouble): Books {
  const audit: Books["audit"] = (label) => json<AuditRow[]>(["audit", "--run", label, "--limit", ROWS_MAX]);
  const keys: Books["keys"] = async (label) => {
    const all = await json<IssuedKeyRow[]>(["key", "list"]);
    return label === undefined ? all : all.filter((key) => key.agent_run_label === label);
  };
  const expectCharged: Books["expectCharged"] = (charges, cents) => {
    expectSame(
      "charges at the vendor",
      { charges: stripe.charges.length, cents: stripe.chargedCents },
      { charges, cents },
    );
  };
  const expectAudited: Books["expectAudited"] = async (capped) => {
    const expected = {
      settled: capped.admitted,
      cents: capped.admitted * capped.eachCents,
      refused: capped.refused,
      others: capped.otherRows ?? 0,
    };
    let found = countsOf(await audit(capped.label));
    for (let looks = 0; looks < LOOKS_MAX && sumOf(found) < sumOf(expected); looks++) {
      await Bun.sleep(50);
      found = countsOf(await audit(capped.label));
    }
    expectSame(`audit rows of ${capped.label}`, found, expected);
  };
  return {
    audit,
    keys,
    expectCharged,
    expectAudited,
    expectCapped: async (capped) => {
      expectCharged(capped.admitted, capped.admitted * capped.eachCents);
      await expectAudited(capped);
    },
    onlyLabel: async () => {
      const labels = [...new Set((await keys()).map((key) => key.agent_run_label))];
      if (labels.length !== 1 || !labels[0])
        throw new Error(`one labelled run was expected: ${JSON.stringify(labels)}`);
      return labels[0];
    },
    expectRevoked: async (label) => {
      const found = (await keys(label)).map(({ status }) => status);
      if (found.length === 0) throw new Error(`no key was issued with the label ${label}`);
      expectSame(
        `keys of ${label}`,
        found,
        found.map(() => "revoked"),
      );
    },
  };
}

interface Counts {
  readonly settled: number;
  readonly cents: number;
  readonly refused: number;
  readonly others: number;
}

/** A settled row is one that has cost something: repeats are settled at nothing. */
function countsOf(rows: readonly AuditRow[]): Counts {
  const centsOf = ({ cost_usd }: AuditRow) => Math.round(Number(cost_usd ?? 0) * 100);
  const settled = rows.filter((row) => row.state === "settled" && centsOf(row) > 0);
  const refused = rows.filter((row) => row.state === "refused" && row.policy_verdict === "cap_exceeded");
  return {
    settled: settled.length,
    cents: settled.reduce((sum, row) => sum + centsOf(row), 0),
    refused: refused.length,
    others: rows.length - settled.length - refused.length,
  };
}

function sumOf({ settled, refused, others }: Counts): number {
  return settled + refused + others;
}

/** Compares by value. @throws Error with both, where they differ. */
export function expectSame(what: string, found: unknown, expected: unknown): void {
  if (Bun.deepEquals(found, expected)) return;
  throw new Error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}
