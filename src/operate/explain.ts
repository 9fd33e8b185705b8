import type { CallFacts } from "../audit/row.ts";
import { isRead, type Method } from "../core/call.ts";
import { formatUsd, parseUsd } from "../core/money.ts";
import { Problem } from "../core/problem.ts";
import { VERDICTS, type Verdict } from "../core/verdict.ts";
import { type EpochMs, windowStart } from "../core/window.ts";
import { type Budget, keyBudgets, keyCounters } from "../ledger/budget.ts";
import { counterKey, decide, type LedgerView } from "../ledger/decide.ts";
import type { Brake, BudgetUse, HoldDecision, HoldRequest, KeyState } from "../ledger/entry.ts";
import { BUDGETS_FILE_NAME } from "../policy/budget-file.ts";
import { compilePolicies } from "../policy/compile.ts";
import { type Explanation, explain } from "../policy/explain.ts";
import { callFromText } from "../policy/explain-call.ts";
import { fillTemplate } from "../policy/load.ts";
import type { PolicyDocument } from "../policy/policy.ts";
import { rulePath, rulePlace } from "../policy/rule-place.ts";
import type { Template } from "../policy/template.ts";
import type { CounterUse, KeySpend } from "../store/key-spend.ts";
import type { VaultKeyRecord } from "../store/store.ts";
import { autoRevokeViews } from "./auto-revoke-counts.ts";
import { type BudgetAbove, budgetsAbove, capField } from "./budgets-above.ts";
import { calledVendor } from "./called-vendor.ts";
import { checkLabel } from "./free-text.ts";
import { budgetView, useOf } from "./key-view.ts";
import { vendorRecord } from "./known-vendor.ts";
import { type ControlPlaneOptions, pricingOf } from "./options.ts";
import type { ExplainBudgetView, ExplainRequest, ExplainView, RulePlace } from "./policy-verbs.ts";

/** A policy to explain by: a template's, or that of a key, with its state and what is used of its budgets. */
interface Subject {
  readonly document: PolicyDocument;
  readonly template: Template | undefined;
  readonly record: VaultKeyRecord | undefined;
  readonly spend: KeySpend | undefined;
  readonly label: string | null;
}

/** A subject with the vendor that the call is for, and the caps above keys that it is charged to. */
interface Charged extends Subject {
  readonly vendor: string;
  readonly above: readonly BudgetAbove[];
}

/**
 * What the proxy would do with a call, without sending it: the policy's judgement, and then the ledger's own decision on
 * a copy of what the ledger holds (the key's state, brakes, budgets, those above keys among them).
 * @throws Problem `invalid` where `budgets.yaml` is broken and no earlier version of it is known.
 */
export async function explainCall(options: ControlPlaneOptions, request: ExplainRequest): Promise<ExplainView> {
  const { store, clock, config, vendors } = options;
  const found = await subjectOf(options, request);
  const vendor = calledVendor(vendors, found.document, request.path);
  const call = callFromText(vendor, `${request.method} ${request.path}`, dataOf(request.body));
  const policy = compilePolicies(found.document).get(vendor.name)!;
  const stored = await vendorRecord(store, vendor.name);
  const accountId = stored?.accountId || (options.sandboxAccountIds?.get(vendor.name) ?? "");
  const explanation = explain(
    { policy, vendor, account: { accountId }, pricing: pricingOf(options, vendor.name) },
    call,
  );
  const now = clock.now();
  const { label } = found;
  const above = await budgetsAbove(options, { vendors: [vendor.name], label }, now);
  const subject = { ...found, vendor: vendor.name, above };
  const shared = subject.above.map(({ budget }) => budget);
  const keyId = subject.record?.id ?? "template";
  const ofCall = ({ kind }: Budget) => kind === undefined || kind === explanation.kind;
  const budgets = [...keyBudgets(keyId, policy, config.currencyRates), ...shared].filter(ofCall);
  const view = ledgerView(subject, keyId, budgets, await store.listBrakes(), now);
  const charged = [...keyCounters(keyId, policy, config.currencyRates), ...shared];
  const said = saidByLedger(decide(view, holdRequest(explanation, subject, keyId, charged, call.method)), explanation);
  const left = (budget: Budget): string | null => {
    if (said.verdict !== "allowed" || explanation.looks_up.length > 0) return null;
    const { used, ...frees } = useBefore(subject, budget, now);
    return budgetView(budget, { ...frees, used: used + asks(explanation, budget, call.method) }, now).remaining;
  };
  const { verdict, rule, message } = said;
  return {
    verdict,
    status: VERDICTS[verdict].status,
    vendor: vendor.name,
    rule,
    message,
    rule_place: placeOf(options, subject, rule),
    operation: explanation.operation || null,
    class: explanation.class || null,
    kind: explanation.kind || null,
    exposure_usd: explanation.looks_up.length > 0 ? null : explanation.exposure_usd,
    looks_up: explanation.looks_up,
    max_amount_per_call_usd: explanation.max_amount_per_call_usd,
    budgets: budgets.map((budget): ExplainBudgetView => {
      const before = budgetView(budget, useBefore(subject, budget, now), now);
      return { ...before, cap_field: capField(budget), remaining_after: left(budget) };
    }),
    auto_revoke: await autoRevokeViews(store, subject.document, subject.record, now),
  };
}

type Said = Pick<Explanation, "verdict" | "rule" | "message">;

/** The policy's own word, unless the ledger has one that comes before it. */
function saidByLedger(decision: HoldDecision, explanation: Explanation): Said {
  const { verdict, rule, message } = explanation;
  if (decision.admitted || !("rule" in decision) || decision.code === verdict) return { verdict, rule, message };
  const { code, rule: decidedBy, budget, reason } = decision;
  const said = `Keybrake: ${reasonOf(code, budget, decidedBy, reason)}; ${VERDICTS[code].advice}.`;
  return { verdict: code, rule: decidedBy, message: said };
}

/** What the call would take of a budget. */
function asks({ exposure_usd, sends }: Explanation, { unit }: Budget, method: Method): bigint {
  if (unit === "usd") return parseUsd(exposure_usd);
  if (unit === "sends") return BigInt(sends);
  return unit === "writes" && isRead(method) ? 0n : 1n;
}

/** A key's policy is a copy of its own: the template may say something else by now. */
function placeOf(
  { budgets }: ControlPlaneOptions,
  { document, template, record, vendor }: Charged,
  rule: string,
): RulePlace | null {
  const above = budgets.current().places.get(rule);
  if (above) return { file: BUDGETS_FILE_NAME, ...above, key_id: null };
  if (record) {
    const isOfKey = rulePath(rule) !== undefined || rule === "revoked";
    return isOfKey ? { file: null, line: null, column: null, key_id: record.id } : null;
  }
  const at = template && rulePlace(template, document, rule, vendor);
  return at ? { file: `${template.name}.yaml`, ...at, key_id: null } : null;
}

async function subjectOf({ store, templates, clock }: ControlPlaneOptions, request: ExplainRequest): Promise<Subject> {
  const { template, key_id, label } = request;
  if ((template === undefined) === (key_id === undefined)) {
    throw new Problem("invalid", "explain needs a template or a key_id, and not both", "name one of them");
  }
  if (template !== undefined) {
    const found = templates.get(template);
    const asked = label === undefined ? null : checkLabel(label, "label");
    const document = fillTemplate(found, request.inputs ?? {});
    return { document, template: found, record: undefined, spend: undefined, label: asked };
  }
  if (label !== undefined) {
    throw new Problem("invalid", "a key has the label that it was issued with", "leave label out beside key_id");
  }
  const record = await store.getKey(key_id!);
  if (!record) throw new Problem("not_found", `there is no key ${JSON.stringify(key_id!.slice(0, 60))}`);
  const spend = await store.keySpend(record.id, clock.now());
  return { document: record.policy, template: undefined, record, spend, label: record.label };
}

/** JSON as one text; form text as its parameters. */
function dataOf(body: string | undefined): readonly string[] {
  const text = body?.trim() ?? "";
  if (text === "") return [];
  if (/^[[{]/.test(text)) return [text];
  return text.split("&").map(decoded);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new Problem("invalid", `the body has an invalid escape in ${JSON.stringify(text.slice(0, 60))}`);
  }
}

/** The ledger as `decide` wants it; a template is a key that was issued this moment. */
function ledgerView(
  subject: Charged,
  keyId: string,
  budgets: readonly Budget[],
  brakes: readonly Brake[],
  now: EpochMs,
): LedgerView {
  const { expiresAt, revokedAt, revokeReason } = subject.record ?? {
    expiresAt: now + 1,
    revokedAt: null,
    revokeReason: null,
  };
  const revokedBy = subject.record?.autoRevoked?.rule ?? null;
  const state: KeyState = { id: keyId, version: 1, expiresAt, revokedAt, revokeReason, revokedBy };
  const counters = new Map<string, bigint>();
  for (const budget of budgets) {
    counters.set(counterKey(budget.id, windowStart(budget.window, now)), useBefore(subject, budget, now).used);
  }
  const keys = new Map([[keyId, state]]);
  return { now, keys, brakes, vendors: new Map(), counters, frozen: null, records: new Map(), objects: new Map() };
}

/** What is used of a budget before the call: of the key's own, or of one above it. */
function useBefore(
  { record, spend, above }: Charged,
  budget: Budget,
  now: EpochMs,
): Pick<CounterUse, "used" | "freesAt"> {
  const own = record && spend && useOf(record.id, spend, budget, now);
  return own ?? above.find((one) => one.budget.id === budget.id) ?? { used: 0n };
}

function holdRequest(
  { verdict, rule, kind, exposure_usd, sends }: Explanation,
  { vendor, label }: Charged,
  keyId: string,
  budgets: readonly Budget[],
  method: string,
): HoldRequest {
  // `decide` reads these four of the facts; the rest is for the audit row, and none is written.
  const facts = { vaultKeyId: keyId, vendor, agentRunLabel: label, method } as CallFacts;
  return {
    type: "hold",
    facts,
    keyVersion: 1,
    vendorVersion: 0,
    refusal: verdict === "allowed" ? undefined : { code: verdict, rule },
    rule,
    exposureMicros: parseUsd(exposure_usd),
    sends,
    kind,
    budgets,
    owner: "explain",
  };
}

function reasonOf(verdict: Verdict, full: BudgetUse | undefined, rule: string, reason: string | null): string {
  const said = reason === null ? "" : ` (${reason})`;
  switch (verdict) {
    case "rate_exceeded":
    case "cap_exceeded": {
      const { name, unit, cap, used } = full!;
      const amount = (value: bigint) => (unit === "usd" ? `$${formatUsd(value)}` : `${value} ${unit}`);
      const left = used < cap ? cap - used : 0n;
      // The field of a family is its members' alike; of anything else the rule says it all.
      const named = name === rule || rule.startsWith(`budgets.${name}.`) ? rule : `${name} (${rule})`;
      return `${named} is ${amount(cap)}, of which ${amount(left)} is left, and this call needs more`;
    }
    case "key_revoked":
      return `the key is revoked${said}`;
    case "key_expired":
      return "the key has expired";
    default:
      return `a brake is engaged${said}`;
  }
}
