import type { SQL as Pool, TransactionSQL } from "bun";
import type { EpochMs } from "../../core/window.ts";
import type {
  AlertQueue,
  AlertSlice,
  Delivery,
  DeliveryEnd,
  QueuedNews,
  Tally,
  TallyKind,
  TrippedRule,
  UntoldAct,
} from "../alert-queue.ts";
import { type DeliveryRow, delivery } from "../delivery-row.ts";
import { addTallies, moveCursor, READ_ONCE, readSlice } from "./alert-slices.ts";

interface RevokedRow {
  readonly id: string;
  readonly at: bigint;
  readonly label: string | null;
  /** JSON list. */
  readonly vendors: string;
  readonly reason: string | null;
  readonly auto_revoked: string | null;
}

const COLUMNS = "event_seq, target, state, attempts, queued_at, due_at, http_status, problem, event";
const JOINED = `SELECT ${COLUMNS} FROM alert_deliveries JOIN alert_events ON alert_events.seq = event_seq`;

/** The store's part in alerts on PostgreSQL. Of several replicas one takes a slice or a delivery, and the others the next. */
export class PostgresAlerts implements AlertQueue {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  readAlertSlice(rowsMax: number): Promise<AlertSlice> {
    return this.#pool.begin(READ_ONCE, (tx) => readSlice(tx, "alert_cursor", rowsMax));
  }

  finishAlertSlice(slice: AlertSlice, found: QueuedNews & { readonly tallies: readonly Tally[] }): Promise<boolean> {
    return this.#pool.begin(async (tx) => {
      if (!(await moveCursor(tx, "alert_cursor", slice))) return false;
      await addTallies(tx, found.tallies);
      await add(tx, found);
      return true;
    });
  }

  async alertTallies(
    kind: TallyKind,
    subject: string,
    from: EpochMs,
  ): Promise<readonly Pick<Tally, "slot" | "amount">[]> {
    const rows = (await this.#pool.unsafe(
      "SELECT slot, amount FROM alert_tallies WHERE kind = $1 AND subject = $2 AND slot >= $3 ORDER BY slot",
      [kind, subject, from],
    )) as { slot: bigint; amount: bigint }[];
    return rows.map(({ slot, amount }) => ({ slot: Number(slot), amount }));
  }

  async counterUse(budgetId: string, windowStart: EpochMs): Promise<bigint> {
    const [row] = (await this.#pool.unsafe("SELECT used FROM counters WHERE budget_id = $1 AND window_start = $2", [
      budgetId,
      windowStart,
    ])) as [{ used: bigint } | undefined];
    return row?.used ?? 0n;
  }

  async untoldActs(limit: number): Promise<readonly UntoldAct[]> {
    const keys = (await this.#pool.unsafe(
      `SELECT id, revoked_at AS at, label, vendors, revoke_reason AS reason, auto_revoked FROM vault_keys
       WHERE revoked_at IS NOT NULL AND revocation_told IS NULL ORDER BY revoked_at LIMIT $1`,
      [limit],
    )) as RevokedRow[];
    const brakes = (await this.#pool.unsafe(
      `SELECT id, engaged_at AS at, label_prefix AS "labelPrefix", vendor, reason FROM brakes
       WHERE told IS NULL ORDER BY engaged_at LIMIT $1`,
      [limit],
    )) as { id: string; at: bigint; labelPrefix: string | null; vendor: string | null; reason: string | null }[];
    const revoked = keys.map(({ vendors, at, auto_revoked, ...row }): UntoldAct => {
      const tripped = auto_revoked === null ? null : (JSON.parse(auto_revoked) as TrippedRule);
      return { ...row, act: "revoked", at: Number(at), vendors: JSON.parse(vendors) as string[], tripped };
    });
    const braked = brakes.map(({ at, ...row }): UntoldAct => ({ ...row, act: "braked", at: Number(at) }));
    return [...revoked, ...braked].toSorted((a, b) => a.at - b.at);
  }

  async tellActs(acts: readonly UntoldAct[], news: QueuedNews): Promise<void> {
    await this.#pool.begin(async (tx) => {
      await add(tx, news);
      for (const { act, id } of acts) {
        const told = act === "revoked" ? "vault_keys SET revocation_told = 1" : "brakes SET told = 1";
        await tx.unsafe(`UPDATE ${told} WHERE id = $1`, [id]);
      }
    });
  }

  async queueAlert(news: QueuedNews): Promise<void> {
    await this.#pool.begin((tx) => add(tx, news));
  }

  async takeDelivery(target: string, now: EpochMs, until: EpochMs): Promise<Delivery | undefined> {
    const [row] = (await this.#pool.unsafe(
      `UPDATE alert_deliveries SET attempts = attempts + 1, due_at = $1
       FROM alert_events
       WHERE target = $2 AND alert_events.seq = event_seq AND event_seq = (
         SELECT event_seq FROM alert_deliveries WHERE target = $2 AND state = 'pending' AND due_at <= $3
         ORDER BY event_seq LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING ${COLUMNS}`,
      [until, target, now],
    )) as [DeliveryRow | undefined];
    return row && delivery(row);
  }

  async endDelivery(
    { eventSeq, target, attempts }: Delivery,
    { state, dueAt, httpStatus, problem }: DeliveryEnd,
  ): Promise<void> {
    await this.#pool.unsafe(
      `UPDATE alert_deliveries SET state = $1, due_at = $2, http_status = $3, problem = $4
       WHERE event_seq = $5 AND target = $6 AND attempts = $7 AND state = 'pending'`,
      [state, dueAt, httpStatus, problem, eventSeq, target, attempts],
    );
  }

  async listDeliveries(limit: number): Promise<readonly Delivery[]> {
    const pending = await this.#deliveries("state = 'pending' ORDER BY event_seq, target", limit);
    const others = await this.#deliveries("state <> 'pending' ORDER BY event_seq DESC, target", limit - pending.length);
    return [...pending, ...others];
  }

  async purgeAlerts({ tallies, events }: { readonly tallies: EpochMs; readonly events: EpochMs }): Promise<void> {
    await this.#pool.begin(async (tx) => {
      await tx.unsafe("DELETE FROM alert_tallies WHERE at < $1", [tallies]);
      const old = "SELECT seq FROM alert_events WHERE at < $1";
      await tx.unsafe(`DELETE FROM alert_deliveries WHERE event_seq IN (${old})`, [events]);
      await tx.unsafe("DELETE FROM alert_events WHERE at < $1", [events]);
    });
  }

  async #deliveries(condition: string, limit: number): Promise<readonly Delivery[]> {
    const rows = await this.#pool.unsafe(`${JOINED} WHERE ${condition} LIMIT $1`, [limit]);
    return (rows as DeliveryRow[]).map(delivery);
  }
}

async function add(tx: TransactionSQL, { news, targets, at }: QueuedNews): Promise<void> {
  for (const event of news) {
    const [added] = (await tx.unsafe(
      "INSERT INTO alert_events (id, type, at, event) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING seq",
      [event.id, event.type, event.at, JSON.stringify(event)],
    )) as [{ seq: bigint } | undefined];
    if (!added) continue;
    for (const target of targets) {
      await tx.unsafe(
        `INSERT INTO alert_deliveries (event_seq, target, state, attempts, queued_at, due_at)
         VALUES ($1, $2, 'pending', 0, $3, $3)`,
        [added.seq, target, at],
      );
    }
  }
}
