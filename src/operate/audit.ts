import { presentRow } from "../audit/present.ts";
import { formatUsd } from "../core/money.ts";
import { Problem } from "../core/problem.ts";
import type { AuditFilter } from "../store/store.ts";
import type { AuditTotalsView } from "./audit-chain-verbs.ts";
import type { AuditPageRequest, AuditPageView } from "./control-plane.ts";
import type { ControlPlaneOptions } from "./options.ts";

export const AUDIT_ROWS_PER_PAGE_MAX = 10_000;

/** One page, newest last. Cursors are opaque to callers: the row's place in the order of writing, in base 36. */
export async function queryAudit(
  { store }: ControlPlaneOptions,
  filter: AuditFilter,
  { limit, before, after }: AuditPageRequest,
): Promise<AuditPageView> {
  if (!Number.isInteger(limit) || limit < 1 || limit > AUDIT_ROWS_PER_PAGE_MAX) {
    throw new Problem("invalid", `limit must be 1 to ${AUDIT_ROWS_PER_PAGE_MAX}, not ${limit}`);
  }
  if (before !== undefined && after !== undefined) {
    throw new Problem("invalid", "before and after are both given; a page goes into one direction", "give one of them");
  }
  const beforeSeq = before === undefined ? undefined : readCursor(before, "before");
  const afterSeq = after === undefined ? undefined : readCursor(after, "after");
  const { rows, older } = await store.queryAudit(filter, {
    limit,
    ...(beforeSeq === undefined ? {} : { before: beforeSeq }),
    ...(afterSeq === undefined ? {} : { after: afterSeq }),
  });
  // With no row to go on from: what was asked for, or the beginning of everything.
  const newest = rows.at(-1)?.seq ?? afterSeq ?? Math.max((beforeSeq ?? 1) - 1, 0);
  return {
    rows: rows.map(presentRow),
    older_cursor: older === undefined ? null : auditCursor(older),
    newer_cursor: auditCursor(newest),
  };
}

export async function auditTotals({ store }: ControlPlaneOptions, filter: AuditFilter): Promise<AuditTotalsView> {
  const totals = await store.auditTotals(filter);
  return {
    calls: totals.calls,
    refused: totals.refused,
    settled_usd: formatUsd(totals.settledMicros),
    held_usd: formatUsd(totals.heldMicros),
    unresolved_usd: formatUsd(totals.unresolvedMicros),
  };
}

function auditCursor(seq: number): string {
  return seq.toString(36);
}

function readCursor(text: string, name: string): number {
  const seq = /^[0-9a-z]{1,11}$/.test(text) ? Number.parseInt(text, 36) : Number.NaN;
  if (Number.isSafeInteger(seq)) return seq;
  throw new Problem("invalid", `${name} is no cursor that a page of the audit gave`, "pass a cursor as it came");
}
