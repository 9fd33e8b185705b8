import type { AuditRow } from "../audit/row.ts";
import type { Config } from "../config.ts";
import { formatUsd, type Micros, parseUsd } from "../core/money.ts";
import { Problem } from "../core/problem.ts";
import type { ResolveRequest } from "../ledger/entry.ts";
import type { KeySpend } from "../store/key-spend.ts";
import type { Store, VaultKeyRecord } from "../store/store.ts";
import { isVisible, refuseReader } from "./actor.ts";
import type { BudgetView } from "./budget-verbs.ts";
import type { Actor } from "./control-plane.ts";
import { alreadyResolved, findUnresolvedCall } from "./find-call.ts";
import { checkReason } from "./free-text.ts";
import { budgetViews } from "./key-view.ts";
import type { ControlPlaneOptions } from "./options.ts";
import type { BudgetChangeView, ResolveCallRequest, ResolvedCallView } from "./resolution.ts";

/**
 * Says by hand what became of a call whose outcome nobody knew. It is a row of its own in the audit, which names the
 * operator; the caps are corrected in the same transaction, and the next call of every server sees them so.
 * @param id the call's id, or as much of it as is its alone.
 */
export async function resolveCall(
  options: ControlPlaneOptions,
  id: string,
  request: ResolveCallRequest,
  actor: Actor,
): Promise<ResolvedCallView> {
  refuseReader(actor);
  const { store, clock } = options;
  const said = readRequest(request);
  const row = await findUnresolvedCall(store, id, async ({ vaultKeyId }) => {
    const owner = await store.getKey(vaultKeyId);
    return owner !== undefined && isVisible(owner, actor);
  });
  const key = (await store.getKey(row.vaultKeyId))!;
  const now = clock.now();
  const before = await store.keySpend(key.id, now);
  const { rows: newest } = await store.queryAudit({}, { limit: 1 });
  const [result] = await store.apply([entryOf(row, said, actor, clock.now())], clock.now());
  if (result && "why" in result && result.why === "being_looked_up") {
    const message = `a repeat of ${row.id} is at ${row.vendor} to find out what became of it`;
    throw new Problem("conflict", message, "look again in a moment with `keybrake resolve`");
  }
  if (!result || !("resolved" in result) || !result.resolved) throw alreadyResolved(row.id, "unresolved");
  const written = await rowReferringTo(store, row, newest[0]?.seq ?? 0);
  const after = await store.keySpend(key.id, now);
  return resolvedView(row, written, said, budgetChange(options.config, key, row, before, after));
}

/** What the operator says; `reason` is null where none was given. */
interface Said {
  readonly to: "settled" | "released";
  readonly costMicros: Micros;
  readonly reason: string | null;
}

function readRequest({ settled_usd, released, reason }: ResolveCallRequest): Said {
  if (settled_usd !== undefined && released !== undefined) {
    throw new Problem("invalid", "settled_usd and released are both given", "give the one or the other");
  }
  const checked = checkReason(reason);
  if (settled_usd !== undefined) return { to: "settled", costMicros: readCost(settled_usd), reason: checked };
  if (released === true) return { to: "released", costMicros: 0n, reason: checked };
  const hint = "give settled_usd (what it did cost), or released: true (nothing was spent)";
  throw new Problem("invalid", "nothing says what became of the call", hint);
}

function readCost(value: string | number): Micros {
  try {
    return parseUsd(value);
  } catch (cause) {
    throw new Problem("invalid", `settled_usd: ${(cause as RangeError).message}`);
  }
}

function entryOf(row: AuditRow, { to, costMicros, reason }: Said, actor: Actor, finishedAt: number): ResolveRequest {
  const flags = [
    `operator:${actor.tokenId ?? "local"}`,
    ...(costMicros > row.exposureMicros ? ["overrun"] : []),
    ...(reason === null ? [] : [`reason: ${reason}`]),
  ];
  return {
    type: "resolve",
    callId: row.id,
    to,
    end: {
      finishedAt,
      verdict: "allowed",
      costMicros,
      costSource: "manual",
      // What the vendor said stands in the call's own row; this one has nothing of it.
      vendorRequestId: null,
      vendorTxnId: null,
      httpStatus: null,
      latencyMs: null,
      upstreamLatencyMs: null,
      flag: flags.join("; "),
    },
  };
}

/** The row that a resolution has written, by its place behind everything that there was before. */
async function rowReferringTo(store: Store, call: AuditRow, seq: number): Promise<AuditRow> {
  let after = seq;
  for (;;) {
    const { rows } = await store.queryAudit({ keyId: call.vaultKeyId }, { after, limit: 1_000 });
    const found = rows.find(({ refersTo }) => refersTo === call.id);
    if (found) return found;
    const last = rows.at(-1);
    if (!last) throw new Error(`the resolution of ${call.id} is not in the audit`);
    after = last.seq;
  }
}

/** The dollar budget with the least left, in the window in which the call was counted: that is the one corrected. */
function budgetChange(config: Config, key: VaultKeyRecord, { calledAt }: AuditRow, before: KeySpend, after: KeySpend) {
  const was = budgetViews(key, before, config, calledAt);
  const is = budgetViews(key, after, config, calledAt);
  const tightest = is
    .map((view, index) => ({ view, was: was[index]! }))
    // A cap of one kind that this call does not move is another kind's.
    .filter(({ view, was: { used } }) => !view.budget.startsWith("caps.") || view.used !== used)
    .toSorted(byLeft)[0];
  if (!tightest) return null;
  const { used: used_before } = tightest.was;
  const { used: used_after, ...budget } = tightest.view;
  return { ...budget, used_before, used_after };
}

/** Dollars before sends; of the same unit, the least left first. */
function byLeft({ view: a }: { view: BudgetView }, { view: b }: { view: BudgetView }): number {
  if (a.unit !== b.unit) return a.unit === "usd" ? -1 : 1;
  return Number(a.remaining) - Number(b.remaining);
}

function resolvedView(
  { id, agentRunLabel, vaultKeyId, exposureMicros }: AuditRow,
  written: AuditRow,
  { to, costMicros, reason }: Said,
  budget: BudgetChangeView | null,
): ResolvedCallView {
  return {
    id: written.id,
    refers_to: id,
    state: to,
    cost_usd: formatUsd(costMicros),
    exposure_usd: formatUsd(exposureMicros),
    flag: written.flag,
    reason,
    vault_key_id: vaultKeyId,
    agent_run_label: agentRunLabel,
    budget,
    warnings: warningsOf(to, costMicros, exposureMicros),
  };
}

function warningsOf(to: Said["to"], costMicros: Micros, exposureMicros: Micros): readonly string[] {
  if (costMicros > exposureMicros) {
    const [cost, held] = [formatUsd(costMicros), formatUsd(exposureMicros)];
    return [`it is settled at $${cost}, above the $${held} that was held: flagged overrun, and counted in full`];
  }
  if (to === "settled" && costMicros === 0n) {
    return [
      "it is settled at $0.00: the call counts as made, and so do its sends; one of which nothing came is released instead",
    ];
  }
  return [];
}
