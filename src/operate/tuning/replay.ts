import { formatUsd } from "../../core/money.ts";
import { Problem } from "../../core/problem.ts";
import type { BudgetUse, HoldDecision } from "../../ledger/entry.ts";
import { compilePolicy } from "../../policy/compile.ts";
import { fillTemplate, loadTemplate } from "../../policy/load.ts";
import { rulePlace } from "../../policy/rule-place.ts";
import type { Template } from "../../policy/template.ts";
import { isoTime } from "../key-view.ts";
import { checkVendorName } from "../known-vendor.ts";
import type { ControlPlaneOptions } from "../options.ts";
import type { RefusedByView, ReplayRequest, ReplayView } from "../policy-verbs.ts";
import { type RecordedRow, recordedRows } from "./recorded-calls.ts";
import { RecordedLedger } from "./recorded-ledger.ts";
import { breachedRule, heldBy, operationOfRow, type ReplayPolicy, uncheckedFields } from "./recorded-rules.ts";
import { type Refused, ReplayTally } from "./replay-tally.ts";

const ENDPOINTS_SHOWN = 10;

/** Goes through the recorded calls to the template's vendor and says which of them the template would have refused. */
export async function replayPolicy(options: ControlPlaneOptions, request: ReplayRequest): Promise<ReplayView> {
  const { store, vendors, config } = options;
  const template = templateOf(options, request);
  const document = fillTemplate(template, request.inputs ?? {});
  const vendor = checkVendorName(vendors, document.vendor);
  const replay: ReplayPolicy = { document, policy: compilePolicy(document), vendor };
  const ledger = new RecordedLedger(replay.policy, config.currencyRates);
  const tally = new ReplayTally();
  const withSends = replay.policy.dailySendCap !== undefined;
  const filter = { ...request.filter, vendor: vendor.name };
  for await (const row of recordedRows(store, { filter, withSends, onProgress: request.onProgress })) {
    replayRow(replay, ledger, tally, row);
  }
  return {
    template: template.name,
    vendor: vendor.name,
    first_called_at: tally.firstAt === undefined ? null : isoTime(tally.firstAt),
    last_called_at: tally.lastAt === undefined ? null : isoTime(tally.lastAt),
    allowed: tally.allowed.view(),
    refused: tally.refused.view(),
    rules: tally.rules().map(({ code, rule, message, sum, first }): RefusedByView => {
      const at = rulePlace(template, document, rule);
      return {
        verdict: code,
        rule,
        rule_place: at ? { file: `${template.name}.yaml`, ...at, key_id: null } : null,
        ...sum.view(),
        first_called_at: isoTime(first.calledAt),
        first_call_id: first.id,
        message,
      };
    }),
    endpoints: tally.endpoints(ENDPOINTS_SHOWN),
    refused_then: tally.refusedThen,
    not_checked: uncheckedFields(document),
  };
}

function templateOf({ templates }: ControlPlaneOptions, { template, source }: ReplayRequest): Template {
  if (source) return loadTemplate(source.text, source.file_name);
  if (template !== undefined) return templates.get(template);
  throw new Problem("invalid", "a replay needs a template", "name one");
}

function replayRow(replay: ReplayPolicy, ledger: RecordedLedger, tally: ReplayTally, recorded: RecordedRow): void {
  const operation = operationOfRow(replay.vendor, recorded);
  const row = heldBy(replay, operation, recorded);
  if (row.refersTo !== null) {
    if (tally.correct(row)) ledger.correct(row, operation.kind);
    return;
  }
  const breached = breachedRule(replay, operation, row);
  if (row.state === "refused") {
    tally.refusedThen.calls += 1;
    if (!breached) tally.refusedThen.would_pass += 1;
    return;
  }
  const refused = breached ?? overCap(ledger.hold(row, operation.kind), row);
  const mayChange = row.state === "unresolved" || replay.vendor.reconciledCost !== undefined;
  tally.add(row, refused, mayChange);
}

function overCap(decision: HoldDecision, row: RecordedRow): Refused | undefined {
  if (decision.admitted || !("rule" in decision)) return undefined;
  const { code, rule, budget } = decision;
  return { code, rule, message: `Keybrake: ${capText(rule, budget, row)}.` };
}

function capText(rule: string, budget: BudgetUse | undefined, { exposureMicros, sends }: RecordedRow): string {
  if (!budget) return `${rule} has no room`;
  const { unit } = budget;
  const amount = (value: bigint) => (unit === "usd" ? `$${formatUsd(value)}` : `${value} ${unit}`);
  const needs = unit === "usd" ? amount(exposureMicros) : unit === "sends" ? amount(sends) : `1 of ${unit}`;
  return `${rule} is ${amount(budget.cap)}, of which ${amount(budget.used)} is used, and this call needs ${needs}`;
}
