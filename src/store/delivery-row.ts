import type { AlertNews } from "../core/alert-event.ts";
import type { Delivery, DeliveryState } from "./alert-queue.ts";

/** A row of `alert_deliveries` with its event. */
export interface DeliveryRow {
  readonly event_seq: bigint;
  readonly target: string;
  readonly state: DeliveryState;
  readonly attempts: bigint;
  readonly queued_at: bigint;
  readonly due_at: bigint;
  readonly http_status: bigint | null;
  readonly problem: string | null;
  readonly event: string;
}

export function delivery(row: DeliveryRow): Delivery {
  return {
    eventSeq: Number(row.event_seq),
    target: row.target,
    event: JSON.parse(row.event) as AlertNews,
    state: row.state,
    attempts: Number(row.attempts),
    queuedAt: Number(row.queued_at),
    dueAt: Number(row.due_at),
    httpStatus: row.http_status === null ? null : Number(row.http_status),
    problem: row.problem,
  };
}
