import type { Database } from "bun:sqlite";
import { type EpochMs, ROLLING_WINDOWS_MS } from "../../core/window.ts";
import { rollingWindowOf } from "../../ledger/budget.ts";
import type {
  AlertSlice,
  Delivery,
  DeliveryEnd,
  QueuedNews,
  Tally,
  TallyKind,
  TrippedRule,
  UntoldAct,
} from "../alert-queue.ts";
import { AlertDeliveries } from "./alert-deliveries.ts";
import { prepareMove, prepareSlices, prepareTally } from "./alert-slices.ts";

interface KeyRow {
  readonly id: string;
  readonly at: bigint;
  readonly label: string | null;
  /** JSON list. */
  readonly vendors: string;
  readonly reason: string | null;
  readonly auto_revoked: string | null;
}

interface BrakeRow {
  readonly id: string;
  readonly at: bigint;
  readonly label_prefix: string | null;
  readonly vendor: string | null;
  readonly reason: string | null;
}

/** The store's part in alerts on SQLite. Writes are short: everything is read and judged before they begin. */
export class SqliteAlerts {
  readonly #database: Database;
  readonly #deliveries: AlertDeliveries;
  readonly #read: (rowsMax: number) => AlertSlice;

  constructor(database: Database) {
    this.#database = database;
    this.#deliveries = new AlertDeliveries(database);
    this.#read = prepareSlices(database, "alert_cursor");
  }

  readSlice(rowsMax: number): AlertSlice {
    return this.#read(rowsMax);
  }

  finishSlice(slice: AlertSlice, found: QueuedNews & { readonly tallies: readonly Tally[] }): boolean {
    const move = prepareMove(this.#database, "alert_cursor");
    const add = prepareTally(this.#database);
    return this.#write(() => {
      if (!move(slice)) return false;
      for (const { kind, subject, slot, amount, at } of found.tallies) add.run(kind, subject, slot, amount, at);
      this.#deliveries.add(found);
      return true;
    });
  }

  tallies(kind: TallyKind, subject: string, from: EpochMs): readonly Pick<Tally, "slot" | "amount">[] {
    const rows = this.#database
      .query<{ slot: bigint; amount: bigint }, [string, string, number]>(
        "SELECT slot, amount FROM alert_tallies WHERE kind = ? AND subject = ? AND slot >= ? ORDER BY slot",
      )
      .all(kind, subject, from);
    return rows.map(({ slot, amount }) => ({ slot: Number(slot), amount }));
  }

  counterUse(budgetId: string, windowStart: EpochMs): bigint {
    const rolling = rollingWindowOf(budgetId);
    if (rolling !== undefined) return this.#rollingUse(budgetId, ROLLING_WINDOWS_MS[rolling]);
    const row = this.#database
      .query<{ used: bigint }, [string, number]>("SELECT used FROM counters WHERE budget_id = ? AND window_start = ?")
      .get(budgetId, windowStart);
    return row?.used ?? 0n;
  }

  /** Less what has aged since a call came for it. */
  #rollingUse(budgetId: string, windowMs: number): bigint {
    const row = this.#database
      .query<{ used: bigint }, [number, string]>(
        `SELECT used - coalesce((SELECT sum(amount) FROM rolling_entries
           WHERE rolling_entries.budget_id = rolling_totals.budget_id AND taken_at <= now - ?), 0) AS used
         FROM rolling_totals, ledger_state WHERE budget_id = ?`,
      )
      .get(windowMs, budgetId);
    return row?.used ?? 0n;
  }

  untoldActs(limit: number): readonly UntoldAct[] {
    const keys = this.#database
      .query<KeyRow, [number]>(
        `SELECT id, revoked_at AS at, label, vendors, revoke_reason AS reason, auto_revoked FROM vault_keys
         WHERE revoked_at IS NOT NULL AND revocation_told IS NULL ORDER BY revoked_at LIMIT ?`,
      )
      .all(limit);
    const brakes = this.#database
      .query<BrakeRow, [number]>(
        `SELECT id, engaged_at AS at, label_prefix, vendor, reason FROM brakes
         WHERE told IS NULL ORDER BY engaged_at LIMIT ?`,
      )
      .all(limit);
    const revoked = keys.map(({ auto_revoked, ...row }): UntoldAct => {
      const tripped = auto_revoked === null ? null : (JSON.parse(auto_revoked) as TrippedRule);
      const vendors = JSON.parse(row.vendors) as readonly string[];
      return { ...row, act: "revoked", at: Number(row.at), vendors, tripped };
    });
    const braked = brakes.map(({ label_prefix: labelPrefix, at, ...row }): UntoldAct => {
      return { ...row, act: "braked", labelPrefix, at: Number(at) };
    });
    return [...revoked, ...braked].toSorted((a, b) => a.at - b.at);
  }

  tellActs(acts: readonly UntoldAct[], news: QueuedNews): void {
    const key = this.#database.query("UPDATE vault_keys SET revocation_told = 1 WHERE id = ?");
    const brake = this.#database.query("UPDATE brakes SET told = 1 WHERE id = ?");
    this.#write(() => {
      this.#deliveries.add(news);
      for (const { act, id } of acts) (act === "revoked" ? key : brake).run(id);
    });
  }

  queue(news: QueuedNews): void {
    this.#write(() => this.#deliveries.add(news));
  }

  take(target: string, now: EpochMs, until: EpochMs): Delivery | undefined {
    if (!this.#deliveries.isDue(target, now)) return undefined;
    return this.#write(() => this.#deliveries.take(target, now, until));
  }

  end(delivery: Delivery, end: DeliveryEnd): void {
    this.#deliveries.end(delivery, end);
  }

  list(limit: number): readonly Delivery[] {
    return this.#deliveries.list(limit);
  }

  purge({ tallies, events }: { readonly tallies: EpochMs; readonly events: EpochMs }): void {
    this.#write(() => {
      this.#database.query("DELETE FROM alert_tallies WHERE at < ?").run(tallies);
      const old = "SELECT seq FROM alert_events WHERE at < ?";
      this.#database.query(`DELETE FROM alert_deliveries WHERE event_seq IN (${old})`).run(events);
      this.#database.query("DELETE FROM alert_events WHERE at < ?").run(events);
    });
  }

  /** The write lock is taken at the beginning: what is read inside is still so when it is written. */
  #write<Result>(work: () => Result): Result {
    return this.#database.transaction(work).immediate();
  }
}
