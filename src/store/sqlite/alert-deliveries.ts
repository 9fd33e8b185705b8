import type { Database } from "bun:sqlite";
import type { EpochMs } from "../../core/window.ts";
import type { Delivery, DeliveryEnd, QueuedNews } from "../alert-queue.ts";
import { type DeliveryRow, delivery } from "../delivery-row.ts";

const COLUMNS = "event_seq, target, state, attempts, queued_at, due_at, http_status, problem, event";
const JOINED = `SELECT ${COLUMNS} FROM alert_deliveries JOIN alert_events ON alert_events.seq = event_seq`;

/** The queue of what is to be sent. */
export class AlertDeliveries {
  readonly #addEvent;
  readonly #addDelivery;
  readonly #isDue;
  readonly #take;
  readonly #event;
  readonly #end;
  readonly #pending;
  readonly #others;

  constructor(database: Database) {
    this.#addEvent = database.query<{ seq: bigint }, [string, string, EpochMs, string]>(
      "INSERT INTO alert_events (id, type, at, event) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq",
    );
    this.#addDelivery = database.query<unknown, [bigint, string, EpochMs, EpochMs]>(
      `INSERT INTO alert_deliveries (event_seq, target, state, attempts, queued_at, due_at)
       VALUES (?, ?, 'pending', 0, ?, ?)`,
    );
    this.#isDue = database.query<unknown, [string, EpochMs]>(
      "SELECT 1 FROM alert_deliveries WHERE target = ? AND state = 'pending' AND due_at <= ? LIMIT 1",
    );
    this.#take = database.query<Omit<DeliveryRow, "event">, [EpochMs, string, string, EpochMs]>(
      `UPDATE alert_deliveries SET attempts = attempts + 1, due_at = ?
       WHERE target = ? AND event_seq = (
         SELECT event_seq FROM alert_deliveries WHERE target = ? AND state = 'pending' AND due_at <= ?
         ORDER BY event_seq LIMIT 1)
       RETURNING event_seq, target, state, attempts, queued_at, due_at, http_status, problem`,
    );
    this.#event = database.query<{ event: string }, [bigint]>("SELECT event FROM alert_events WHERE seq = ?");
    this.#end = database.query<unknown, [string, EpochMs, number | null, string | null, number, string, number]>(
      `UPDATE alert_deliveries SET state = ?, due_at = ?, http_status = ?, problem = ?
       WHERE event_seq = ? AND target = ? AND attempts = ? AND state = 'pending'`,
    );
    this.#pending = database.query<DeliveryRow, [number]>(
      `${JOINED} WHERE state = 'pending' ORDER BY event_seq, target LIMIT ?`,
    );
    this.#others = database.query<DeliveryRow, [number]>(
      `${JOINED} WHERE state <> 'pending' ORDER BY event_seq DESC, target LIMIT ?`,
    );
  }

  /** Inside a transaction of the caller's. */
  add({ news, targets, at }: QueuedNews): void {
    for (const event of news) {
      const added = this.#addEvent.get(event.id, event.type, event.at, JSON.stringify(event));
      if (added) for (const target of targets) this.#addDelivery.run(added.seq, target, at, at);
    }
  }

  /** Asked first, so that an empty queue takes no write lock. */
  isDue(target: string, now: EpochMs): boolean {
    return this.#isDue.get(target, now) !== null;
  }

  take(target: string, now: EpochMs, until: EpochMs): Delivery | undefined {
    const row = this.#take.get(until, target, target, now);
    return row ? delivery({ ...row, ...this.#event.get(row.event_seq)! }) : undefined;
  }

  end({ eventSeq, target, attempts }: Delivery, { state, dueAt, httpStatus, problem }: DeliveryEnd): void {
    this.#end.run(state, dueAt, httpStatus, problem, eventSeq, target, attempts);
  }

  list(limit: number): readonly Delivery[] {
    const pending = this.#pending.all(limit);
    return [...pending, ...this.#others.all(limit - pending.length)].map(delivery);
  }
}
