import type { AlertNews } from "../core/alert-event.ts";
import { formatUsd, type Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import type { Budget } from "../ledger/budget.ts";
import { capField } from "../operate/budgets-above.ts";
import type { AlertRow, TrippedRule, UntoldAct } from "../store/alert-queue.ts";
import type { CapOfCall } from "./caps-of-calls.ts";

/** A call was sent and nobody knows what became of it: what it may have cost counts in full until somebody finds out. */
export function callUnresolved(row: AlertRow): AlertNews {
  const { id, vendor, method, endpoint, exposureMicros, flag } = row;
  return {
    id: `call.unresolved:${id}`,
    type: "call.unresolved",
    at: row.finishedAt,
    text: `nobody knows what became of ${method} ${endpoint} at ${vendor}; $${formatUsd(exposureMicros)} counts as spent until \`keybrake resolve ${id}\``,
    data: { call_id: id, ...keyOf(row), vendor, method, endpoint, exposure_usd: formatUsd(exposureMicros), why: flag },
  };
}

/** 80 % of a cap is used. */
export function capWarning(row: AlertRow, cap: CapOfCall, window: EpochMs, used: bigint): AlertNews {
  const { id, name, unit, cap: limit } = cap.budget;
  const isUsd = unit === "usd";
  return {
    id: `cap.warning:${id}:${name}:${window}`,
    type: "cap.warning",
    at: row.finishedAt,
    text: `${whose(row, cap)} has used ${amountText(unit, used)} of its ${capField(cap.budget)} of ${amountText(unit, limit)}`,
    data: {
      ...keyOf(row),
      ...budgetOf(cap),
      ...(isUsd
        ? { used_usd: formatUsd(used), cap_usd: formatUsd(limit) }
        : { used: String(used), cap: String(limit) }),
      ...windowOf(window),
    },
  };
}

/** The first call that a cap has refused in its window; undefined is one that is no more. */
export function capHit(row: AlertRow, cap: CapOfCall | undefined, window: EpochMs): AlertNews {
  const { id: callId, calledAt: at, vaultKeyId, verdictRule, vendor, method, endpoint } = row;
  const limit = cap && amountText(cap.budget.unit, cap.budget.cap);
  const counter = cap?.isShared ? cap.budget.id : `key:${vaultKeyId}:${verdictRule}`;
  return {
    id: `cap.hit:${counter}:${window}`,
    type: "cap.hit",
    at,
    text: `${whose(row, cap)} is at its ${cap ? capField(cap.budget) : verdictRule}${limit === undefined ? "" : ` of ${limit}`}: ${method} ${endpoint} was refused`,
    data: {
      ...keyOf(row),
      ...(cap ? budgetOf(cap) : { budget: verdictRule }),
      cap: cap ? (cap.budget.unit === "usd" ? formatUsd(cap.budget.cap) : String(cap.budget.cap)) : null,
      call_id: callId,
      vendor,
      method,
      endpoint,
      ...windowOf(window),
    },
  };
}

/** `$500.00`, `80 sends`. */
function amountText(unit: Budget["unit"], amount: bigint): string {
  return unit === "usd" ? `$${formatUsd(amount)}` : `${amount} ${unit}`;
}

function whose(row: AlertRow, cap: CapOfCall | undefined): string {
  return cap?.isShared ? `the budget ${cap.budget.name}` : who(row);
}

function budgetOf(cap: CapOfCall): AlertNews["data"] {
  const budget = cap.budget.name;
  return cap.isShared ? { budget, cap_field: capField(cap.budget) } : { budget };
}

/** More than ten refusals by caps within an hour: told once per key and hour of the clock. */
export function capHitRate(row: AlertRow, hour: EpochMs, hits: bigint): AlertNews {
  return {
    id: `cap.hit_rate:${row.vaultKeyId}:${hour}`,
    type: "cap.hit_rate",
    at: row.calledAt,
    text: `${who(row)} was refused by its caps ${hits} times within an hour and goes on`,
    data: { ...keyOf(row), refusals: Number(hits), budget: row.verdictRule },
  };
}

/** All calls of one run label together have cost more than `run_cost_over`. */
export function runCost(row: AlertRow, label: string, cost: Micros, over: Micros): AlertNews {
  return {
    id: `run.cost:${over}:${label}`,
    type: "run.cost",
    at: row.finishedAt,
    text: `the run ${label} has cost $${formatUsd(cost)}, more than $${formatUsd(over)}`,
    data: { ...keyOf(row), cost_usd: formatUsd(cost), over_usd: formatUsd(over) },
  };
}

/** Everything together costs more this hour than three times what an hour of the last 30 days did. */
export function spendVelocity(row: AlertRow, hour: EpochMs, spent: Micros, mean: Micros): AlertNews {
  return {
    id: `spend.velocity:${hour}`,
    type: "spend.velocity",
    at: row.finishedAt,
    text: `$${formatUsd(spent)} were spent this hour; an hour of the last 30 days cost $${formatUsd(mean)}`,
    data: { hour: isoTime(hour), spent_usd: formatUsd(spent), mean_usd: formatUsd(mean) },
  };
}

/** What an operator has stopped. */
export function actNews(untold: UntoldAct): AlertNews {
  const { id, at, reason } = untold;
  const because = reason === null ? "" : `: ${reason}`;
  if (untold.act === "revoked") {
    const { label, vendors, tripped } = untold;
    if (tripped) return autoRevoked(untold, tripped);
    return {
      id: `key.revoked:${id}`,
      type: "key.revoked",
      at,
      text: `the ${vendors.join(" and ")} key ${id}${label === null ? "" : ` of ${label}`} was revoked${because}`,
      data: { key_id: id, run_label: label, vendor: vendors.join(", "), reason },
    };
  }
  const { vendor, labelPrefix } = untold;
  const scope = [vendor, labelPrefix && `labels that begin with ${labelPrefix}`].filter(Boolean).join(", ");
  return {
    id: `brake.engaged:${id}`,
    type: "brake.engaged",
    at,
    text: `the brake is on for ${scope || "everything"}${because}`,
    data: { brake_id: id, vendor, label_prefix: labelPrefix, reason },
  };
}

/** What a rule of the key's own has stopped. */
function autoRevoked({ id, at, vendors, label, reason }: Revoked, tripped: TrippedRule): AlertNews {
  return {
    id: `key.auto_revoked:${id}`,
    type: "key.auto_revoked",
    at,
    text: `the ${vendors.join(" and ")} key ${id}${label === null ? "" : ` of ${label}`} was revoked by its own rule: ${reason}`,
    data: { key_id: id, run_label: label, vendor: vendors.join(", "), ...tripped, reason },
  };
}

type Revoked = Extract<UntoldAct, { act: "revoked" }>;

/** The store could not do its work: calls are refused meanwhile. `server` tells one server's trouble from another's. */
export function storeDegraded(server: string, at: EpochMs, cause: string): AlertNews {
  const text = `the store of ${server} cannot be used, and calls are refused: ${cause}`;
  return { id: `store.degraded:${server}:${at}`, type: "store.degraded", at, text, data: { server, cause } };
}

/** What `keybrake alert test` sends. */
export function testNews(at: EpochMs): AlertNews {
  const text = "this is a test: alerts of this keybrake arrive here";
  return { id: `alert.test:${at}`, type: "alert.test", at, text, data: {} };
}

function keyOf({ vaultKeyId, agentRunLabel }: AlertRow): AlertNews["data"] {
  return { key_id: vaultKeyId, run_label: agentRunLabel };
}

function windowOf(start: EpochMs): AlertNews["data"] {
  return { window_start: start === 0 ? null : isoTime(start) };
}

function who({ vaultKeyId, agentRunLabel }: AlertRow): string {
  return agentRunLabel === null ? `the key ${vaultKeyId}` : `${agentRunLabel} (${vaultKeyId})`;
}

function isoTime(at: EpochMs): string {
  return new Date(at).toISOString();
}
