import { columnValue } from "../../audit/chain-columns.ts";
import type { AuditRow } from "../../audit/row.ts";
import type { AuditFilter, Store } from "../../store/store.ts";
import { nextTurn } from "../verify-audit.ts";

/** A row of the audit with what it counted beside dollars. */
export interface RecordedRow extends AuditRow {
  /** Messages or recipients; 0 where it is not asked for, and for calls that are still in flight. */
  readonly sends: bigint;
}

/** How many rows have been read. */
export type OnProgress = (rows: number) => void;

export interface ReadingTerms {
  readonly filter: AuditFilter;
  /** Sends stand in another place than the rest, and twice the reading is only worth it where something counts them. */
  readonly withSends: boolean;
  readonly onProgress?: OnProgress | undefined;
}

const ROWS_PER_SLICE = 1_000;

/** The rows that `filter` selects, in the order in which they were decided, slice by slice: never all of them at once. */
export async function* recordedRows(
  store: Pick<Store, "queryAudit" | "chainRowsAt">,
  { filter, withSends, onProgress }: ReadingTerms,
): AsyncGenerator<RecordedRow> {
  let read = 0;
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { rows } = await store.queryAudit(filter, { after, limit: ROWS_PER_SLICE });
    const sends = withSends ? await sendsOf(store, rows) : NO_SENDS;
    for (const row of rows) yield { ...row, sends: sends.get(row.id) ?? 0n };
    read += rows.length;
    onProgress?.(read);
    after = rows.length < ROWS_PER_SLICE ? undefined : rows.at(-1)!.seq;
    await nextTurn();
  }
}

const NO_SENDS: ReadonlyMap<string, bigint> = new Map();

async function sendsOf(
  store: Pick<Store, "chainRowsAt">,
  rows: readonly AuditRow[],
): Promise<ReadonlyMap<string, bigint>> {
  const final = rows.filter(({ state }) => state !== "held" && state !== "refused");
  const sends = new Map<string, bigint>();
  for (const { values } of await store.chainRowsAt(final.map(({ seq }) => seq))) {
    const charges = columnValue(values, "charges") as string | null;
    if (!charges?.includes('"sends"')) continue;
    sends.set(columnValue(values, "id") as string, sentBy(charges, columnValue(values, "exposure_micros") as string));
  }
  return sends;
}

/** The sends among a row's charges, which are `[budget, window, unit, amount?]`; no amount is that of the exposure. */
function sentBy(charges: string, exposureMicros: string): bigint {
  const written = JSON.parse(charges) as readonly (readonly [string, number, string, string?])[];
  let most = 0n;
  // Several caps on sends count the same messages.
  for (const [, , unit, amount = exposureMicros] of written) {
    if (unit === "sends" && BigInt(amount) > most) most = BigInt(amount);
  }
  return most;
}
