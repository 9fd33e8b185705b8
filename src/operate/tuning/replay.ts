import { formatUsd } from "../../core/money.ts";
import { Problem } from "../../core/problem.ts";
import type { BudgetUse, HoldDecision } from "../../ledger/entry.ts";
import { compilePolicies } from "../../policy/compile.ts";
import { fillTemplate, loadTemplate } from "../../policy/load.ts";
import { rulePlace } from "../../policy/rule-place.ts";
import type { Template } from "../../policy/template.ts";
import { vendorsOf } from "../../policy/vendor-policies.ts";
import { isoTime } from "../key-view.ts";
import { checkVendorName } from "../known-vendor.ts";
import type { ControlPlaneOptions } from "../options.ts";
import type { RefusedByView, ReplayRequest, ReplayView } from "../policy-verbs.ts";
import { type RecordedRow, recordedRows } from "./recorded-calls.ts";
import { RecordedLedger } from "./recorded-ledger.ts";
import { breachedRule, heldBy, operationOfRow, type ReplayPolicy, uncheckedFields } from "./recorded-rules.ts";
import { type Refused, ReplayTally } from "./replay-tally.ts";

const ENDPOINTS_SHOWN = 10;

/** Goes through the recorded calls to the template's vendors and says which of them the template would have refused. */
export async function replayPolicy(options: ControlPlaneOptions, request: ReplayRequest): Promise<ReplayView> {
  const { store, vendors, config } = options;
  const template = templateOf(options, request);
  const document = fillTemplate(template, request.inputs ?? {});
  const names = vendorsOf(document);
  const policies = compilePolicies(document);
  const replays = new Map(
    [...policies].map(([name, policy]): [string, ReplayPolicy] => {
      return [name, { policy, vendor: checkVendorName(vendors, name) }];
    }),
  );
  const ledger = new RecordedLedger(policies, config.currencyRates);
  const isForSeveral = document.vendors !== undefined;
  const tally = new ReplayTally(isForSeveral);
  const withSends = [...policies.values()].some(({ dailySendCap }) => dailySendCap !== undefined);
  const filter = { ...request.filter, ...(isForSeveral ? {} : { vendor: names[0]! }) };
  for await (const row of recordedRows(store, { filter, withSends, onProgress: request.onProgress })) {
    const replay = replays.get(row.vendor);
    if (replay) replayRow(replay, ledger, tally, row);
  }
  return {
    template: template.name,
    vendor: isForSeveral ? null : names[0]!,
    vendors: names,
    first_called_at: tally.firstAt === undefined ? null : isoTime(tally.firstAt),
    last_called_at: tally.lastAt === undefined ? null : isoTime(tally.lastAt),
    allowed: tally.allowed.view(),
    refused: tally.refused.view(),
    rules: tally.rules().map(({ code, rule, message, sum, first }): RefusedByView => {
      const at = rulePlace(template, document, rule, first.vendor);
      return {
        verdict: code,
        vendor: first.vendor,
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
