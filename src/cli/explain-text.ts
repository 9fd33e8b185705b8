import { join } from "node:path";
import { Problem } from "../core/problem.ts";
import { autoRevokeText } from "../operate/auto-revoke-counts.ts";
import type { ExplainRequest, ExplainView, RulePlace } from "../operate/policy-verbs.ts";
import { given } from "./policy-flags.ts";
import { budgetAmount, budgetUse, dollars, facts, shortTime } from "./wording.ts";

export interface ExplainWords {
  readonly template?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly key?: string;
  readonly label?: string;
  readonly body?: readonly string[];
}

/** @throws Problem `usage` for a call that is not `METHOD /path`, and where nothing says which policy. */
export function explainRequest(call: string, flags: ExplainWords): ExplainRequest {
  const [, method, path] = /^([A-Za-z]+)\s+(\/\S*)$/.exec(call.trim()) ?? [];
  if (method === undefined || path === undefined) {
    throw new Problem("usage", `${JSON.stringify(call)} is no call`, 'write it like "POST /v1/charges", in quotes');
  }
  if (flags.template === undefined && flags.key === undefined) {
    throw new Problem("usage", "there is nothing that says which policy", "give --template NAME or --key ID");
  }
  const body = bodyText(flags.body ?? []);
  const isQuery = ["GET", "HEAD"].includes(method.toUpperCase());
  return {
    method: method.toUpperCase(),
    path: isQuery && body !== undefined ? `${path}${path.includes("?") ? "&" : "?"}${body}` : path,
    ...given("body", isQuery ? undefined : body),
    ...given("template", flags.template),
    ...given("inputs", flags.set),
    ...given("key_id", flags.key),
    ...given("label", flags.label),
  };
}

/** Several parameters in one `-d`, written as curl sends them: `amount=500&currency=usd`. */
const CURL_STYLE = /^[^=&\s]+=[^&\s]*(?:&[^=&\s]+=[^&\s]*)+$/;

/** One JSON text, or parameters that are put together as a form. */
function bodyText(parts: readonly string[]): string | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  if (/^\s*[{[]/.test(first)) {
    if (parts.length === 1) return first;
    throw new Problem("usage", "a JSON body is one -d, and there are several", "put everything into one JSON text");
  }
  return parts.map((part) => (CURL_STYLE.test(part) ? part : formPair(part))).join("&");
}

function formPair(part: string): string {
  const equals = part.indexOf("=");
  if (equals < 1) throw new Problem("usage", `-d ${JSON.stringify(part)} is no name=value`, "like -d amount=500");
  return `${encodeURIComponent(part.slice(0, equals))}=${encodeURIComponent(part.slice(equals + 1))}`;
}

/** What `policy explain` prints: the verdict, why, what it costs at most, and what that leaves. */
export function explainText(view: ExplainView, policiesDir: string): string {
  const isAllowed = view.verdict === "allowed";
  // A refusal before the amount is looked at has none, and $0.00 would read as "free".
  const isPriced = view.exposure_usd !== null && (isAllowed || /[1-9]/.test(view.exposure_usd));
  const limit = view.max_amount_per_call_usd;
  return facts([
    ["verdict", isAllowed ? view.verdict : `${view.verdict} (the agent gets ${view.status})`],
    ["rule", `${view.rule}${placeText(view.rule_place, policiesDir)}`],
    ["why", view.message.replace(/^Keybrake: /, "")],
    ["operation", view.operation && `${view.operation} (${view.class}, ${view.kind})`],
    ["asks first", view.looks_up.join(", ") || null],
    ["costs at most", isPriced ? dollars(view.exposure_usd!) : null],
    [
      "one call",
      limit === null || view.looks_up.length === 0
        ? null
        : `may cost ${dollars(limit)} at most (max_amount_per_call_usd)`,
    ],
    ...view.budgets.map((budget) => {
      const resets = budget.reset_at === null ? "" : `, resets ${shortTime(budget.reset_at)} UTC`;
      const left = budgetAmount(budget.unit, budget.remaining);
      const after =
        budget.remaining_after === null ? "" : `, ${budgetAmount(budget.unit, budget.remaining_after)} after this call`;
      const name = budget.cap_field === budget.budget ? budget.budget : `${budget.budget} ${budget.cap_field}`;
      return [name, `${budgetUse(budget)} used, ${left} left${after}${resets}`] as const;
    }),
    ...view.auto_revoke.map((rule) => ["revoked at", autoRevokeText(rule)] as const),
  ]);
}

/** As a terminal makes a link of it: `policies/billing.yaml:31`. A key that is out has a policy of its own. */
export function placeText(place: RulePlace | null, policiesDir: string): string {
  if (place === null) return "";
  return place.file === null ? ` (key ${place.key_id})` : ` (${join(policiesDir, place.file)}:${place.line})`;
}
