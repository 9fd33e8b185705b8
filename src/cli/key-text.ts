import type { EpochMs } from "../core/window.ts";
import { autoRevokeText } from "../operate/auto-revoke-counts.ts";
import type { BudgetAboveView, BudgetView } from "../operate/budget-verbs.ts";
import type { IssuedKeyView, KeyView, ShownKeyView, SpendView } from "../operate/control-plane.ts";
import type { PolicyDocument } from "../policy/policy.ts";
import type { Column } from "./table.ts";
import { budgetAmount, budgetUse, counted, dollars, facts, fromNow, shortTime } from "./wording.ts";

/** The columns of `key list`; times are said from now, which is shorter and what one asks at 2 a.m. */
export const keyColumns = (now: EpochMs): readonly Column<KeyView>[] => [
  { header: "id", text: ({ id }) => id, tooWide: "never" },
  { header: "label", text: ({ agent_run_label }) => agent_run_label ?? "-", widthMin: 8 },
  { header: "vendor", text: ({ vendors }) => vendors.join(", ") },
  {
    header: "status",
    text: ({ status }) => status,
    colour: ({ status }) => (status === "active" ? "green" : status === "revoked" ? "red" : "dim"),
  },
  { header: "expires", text: ({ expires_at }) => fromNow(expires_at, now) },
  { header: "spent", text: ({ spend }) => dollars(spend.settled_usd), align: "right" },
  { header: "cap", text: ({ spend }) => tightest(spend), align: "right", widthMin: 8 },
];

/** The cap of which the largest part is used: the one that will stop the key. */
function tightest({ budgets }: SpendView): string {
  const part = ({ used, cap }: { used: string; cap: string }) => (Number(cap) === 0 ? 1 : Number(used) / Number(cap));
  const [first] = [...budgets].sort((a, b) => part(b) - part(a));
  return first ? budgetAmount(first.unit, first.cap) : "-";
}

/** What `key show` prints. */
export function keyText(key: KeyView & Partial<ShownKeyView>, now: EpochMs): string {
  const { spend } = key;
  return [
    facts([
      ["id", key.id],
      ["key", key.hint],
      ["status", key.status + (key.revoke_reason ? ` (${key.revoke_reason})` : "")],
      ...vendorFacts(key),
      ["label", key.agent_run_label],
      ["agent", key.agent_name],
      ["template", key.template],
      ...baseUrlFacts(key),
      ["created", shortTime(key.created_at)],
      ["expires", `${shortTime(key.expires_at)} UTC (${fromNow(key.expires_at, now)})`],
      ["revoked", key.revoked_at && `${shortTime(key.revoked_at)} UTC`],
      ["metadata", wordsOf(key.metadata)],
      ["calls", counted(spend.calls, "call")],
      ["spent", spentText(spend)],
      ...spend.budgets.map((budget) => [budget.budget, budgetUse(budget) + ownCurrency(budget, key.policy)] as const),
      ...aboveFacts(key.shared_budgets),
      ...(key.auto_revoke ?? []).map((rule) => ["revoked at", autoRevokeText(rule)] as const),
    ]),
    "",
    policyText(key.policy),
  ].join("\n");
}

type Fact = readonly [string, string];

function vendorFacts({ vendors }: Pick<KeyView, "vendors">): readonly Fact[] {
  return [[vendors.length === 1 ? "vendor" : "vendors", vendors.join(", ")]];
}

function baseUrlFacts({ base_urls }: Pick<KeyView, "base_urls">): readonly Fact[] {
  return Object.values(base_urls).map((url, index) => [index === 0 ? "base URL" : "", url]);
}

/** The budgets above the key, of which others may have used a part. */
function aboveFacts(above: readonly BudgetAboveView[] | null = []): readonly Fact[] {
  if (above === null)
    return [["above the key", "not known: budgets.yaml is broken (`keybrake policy lint` says where)"]];
  return above.map((budget) => {
    const kind = budget.kind === null ? "" : `, ${budget.kind} only`;
    return [`${budget.budget} ${budget.cap_field}`, `${budgetUse(budget)} (above the key${kind})`];
  });
}

/** ` (500.00 eur at 1.12)` of a cap in a currency of its own: what its dollars are made of. */
function ownCurrency({ budget, cap }: BudgetView, policy: KeyView["policy"]): string {
  const [, vendor = "", field = ""] = /^vendors\.([^.]+)\.(.+)$/.exec(budget) ?? [];
  const value = vendor === "" ? policy[budget] : (policy as PolicyDocument).vendors?.[vendor]?.[field];
  if (typeof value !== "object" || value === null || !("amount" in value) || !("currency" in value)) return "";
  const own = `${value.amount} ${value.currency}`;
  if (Number(cap) === 0 && Number(value.amount) > 0) return ` (${own}, for which no rate is set)`;
  const rate = Number((Number(cap) / Number(value.amount)).toPrecision(RATE_DIGITS));
  return Number(value.amount) > 0 ? ` (${own} at ${rate})` : ` (${own})`;
}

/** The rate is found back from the cap, which is rounded to millionths. */
const RATE_DIGITS = 6;

/** `$240.00 settled, $0.00 held, $0.00 unresolved` */
export function spentText(spend: Pick<SpendView, "settled_usd" | "held_usd" | "unresolved_usd">): string {
  const { settled_usd, held_usd, unresolved_usd } = spend;
  return `${dollars(settled_usd)} settled, ${dollars(held_usd)} held, ${dollars(unresolved_usd)} unresolved`;
}

/** What `key issue` prints: the key first, where a person who copies it looks for it. */
export function issuedKeyText(key: IssuedKeyView, now: EpochMs): string {
  const isForSeveral = key.vendors.length > 1;
  const lines = key.agent_lines.flatMap(({ vendor, language, lines }) => [
    `  ${isForSeveral ? `${vendor}, ` : ""}${language}`,
    ...lines.map((line) => `    ${line}`),
  ]);
  return [
    key.vault_key,
    "",
    facts([
      ["id", key.id],
      ...vendorFacts(key),
      ["label", key.agent_run_label],
      ["template", key.template],
      ...baseUrlFacts(key),
      ["expires", `${shortTime(key.expires_at)} UTC (${fromNow(key.expires_at, now)})`],
    ]),
    "",
    policyText(key.policy),
    "",
    "change in the agent:",
    ...lines,
    "",
    `This is the only time that the key is shown. Stop it with: keybrake key revoke ${key.id}`,
  ].join("\n");
}

/** The policy's fields, one a line, in the spelling of a template. */
function policyText(policy: Readonly<Record<string, unknown>>): string {
  const { vendors = {}, ...fields } = policy as PolicyDocument;
  const entries = Object.entries(fields).filter(([name]) => name !== "vendor" && name !== "description");
  const parts = Object.entries(vendors).flatMap(([name, own]) => [
    `    ${name}:`,
    ...Object.entries(own).flatMap(([field, value]) => fieldLines(field, value).map((line) => `    ${line}`)),
  ]);
  const ofVendors = parts.length > 0 ? ["  vendors:", ...parts] : [];
  return ["policy:", ...entries.flatMap(([name, value]) => fieldLines(name, value)), ...ofVendors].join("\n");
}

function fieldLines(name: string, value: unknown): string[] {
  if (Array.isArray(value) && value.some((entry) => typeof entry === "object")) {
    return [`  ${name}:`, ...value.map((entry) => `    - ${JSON.stringify(entry)}`)];
  }
  if (Array.isArray(value) && value.some((entry) => String(entry).includes(" "))) {
    return [`  ${name}:`, ...value.map((entry) => `    - ${entry}`)];
  }
  if (Array.isArray(value)) return [`  ${name}: [${value.join(", ")}]`];
  if (typeof value === "object" && value !== null) {
    return [`  ${name}:`, ...Object.entries(value).map(([key, rule]) => `    ${key}: ${JSON.stringify(rule)}`)];
  }
  return [`  ${name}: ${value}`];
}

function wordsOf(metadata: Readonly<Record<string, string>>): string | undefined {
  const words = Object.entries(metadata).map(([name, value]) => `${name}=${value}`);
  return words.length > 0 ? words.join(" ") : undefined;
}
