import type { Call } from "../core/call.ts";
import { formatUsd } from "../core/money.ts";
import { matchesRoute, type Route } from "../core/route.ts";
import { operationOf } from "../vendors/operations.ts";
import type {
  Exposure,
  Found,
  Missing,
  NoExposure,
  Operation,
  Pricing,
  Scope,
  Vendor,
  VendorAccount,
} from "../vendors/vendor.ts";
import { breachedParameter } from "./judge-parameters.ts";
import { breachedScope, customerUnknown } from "./judge-scope.ts";
import { type Admission, type Finding, type Judgement, listed, type PolicyRefusal } from "./judgement.ts";
import type { CompiledPolicy } from "./policy.ts";
import { unpricedExposure } from "./unknown-cost.ts";

const FREE: Exposure = { ok: true, micros: 0n, sends: 0, currency: undefined, source: "none" };

/**
 * What `policy` says about `call`: pure, without state, budgets or the clock. The checks run in the order of http.md, and
 * the first that fails answers: endpoint, body kind, parameters and scope, the most it can cost, currency, amount. A call
 * that needs a look-up has passed all that can be judged without; it is judged again with what was `found`.
 */
export function judge(
  policy: CompiledPolicy,
  vendor: Vendor,
  account: VendorAccount,
  call: Call,
  pricing: Pricing,
  found: Found = NOTHING_FOUND,
): Judgement {
  const operation = operationOf(vendor, call.method, call.path);
  const allowedAt = indexOfMatch(policy.allowed, call);
  const early =
    endpointFinding(policy, call, allowedAt) ??
    vendorFinding(operation, operation.refuse?.(call)) ??
    closedFinding(policy, operation, call) ??
    bodyKindFinding(vendor, operation, call);
  if (early) return refusal(early, operation);

  const scope = vendor.scope(call, account);
  const outside = breachedParameter(policy.parameters, call) ?? breachedScope(policy, operation, scope);
  if (outside) return refusal(outside, operation, scope);

  const exposure = exposureOf(operation, call, pricing, found);
  const rule = `allowed_endpoints[${allowedAt}]`;
  if (!exposure.ok) {
    if (exposure.code === "look_up") return { ok: false, code: "look_up", operation, scope, lookUps: exposure.lookUps };
    const unpriced = unpricedExposure(policy.unknownCostMicros, exposure, operation, scope);
    if (!unpriced) return refusal(vendorFinding(operation, exposure)!, operation, scope);
    return judgeExposure(policy, { operation, exposure: unpriced, scope, rule });
  }
  return judgeExposure(policy, { operation, exposure, scope, rule });
}

const NOTHING_FOUND: Found = new Map();

/** The checks that need the ceiling, and whose money it is. */
function judgeExposure(policy: CompiledPolicy, priced: Omit<Admission, "ok">): Judgement {
  const { operation, exposure } = priced;
  const { customer } = exposure;
  const scope = customer === undefined ? priced.scope : { ...priced.scope, customer };
  const finding =
    (customer === undefined ? undefined : breachedScope(policy, operation, scope)) ??
    customerUnknown(policy, operation, scope, exposure.unpriced) ??
    currencyFinding(policy, exposure) ??
    amountFinding(policy, exposure);
  if (finding) return refusal(finding, operation, scope, exposure.micros);
  return { ok: true, ...priced, scope };
}

function refusal(finding: Finding, operation: Operation, scope?: Scope, exposureMicros = 0n): PolicyRefusal {
  const { code, message, rule, details = {} } = finding;
  const said = { ok: false, code, message, rule, operation, exposureMicros, details } as const;
  return scope ? { ...said, scope } : said;
}

function indexOfMatch(routes: readonly Route[], call: CallLine): number {
  for (let index = 0; index < routes.length; index++) {
    if (matchesRoute(routes[index]!, call.method, call.path)) return index;
  }
  return -1;
}

/** A call as far as its audit row has it. */
export type CallLine = Pick<Call, "method" | "path">;

/** What `judge` finds by method and path alone, for calls of which no more is known. */
export function breachedEndpoint(policy: CompiledPolicy, operation: Operation, call: CallLine): Finding | undefined {
  return endpointFinding(policy, call, indexOfMatch(policy.allowed, call)) ?? closedFinding(policy, operation, call);
}

function endpointFinding(policy: CompiledPolicy, call: CallLine, allowedAt: number): Finding | undefined {
  const deniedAt = indexOfMatch(policy.denied, call);
  if (deniedAt !== -1) {
    const by = policy.denied[deniedAt]!.text;
    return endpointDenied(
      `denied_endpoints[${deniedAt}]`,
      `${shownEndpoint(call)} is denied by "${by}" in this key's policy.`,
    );
  }
  if (allowedAt !== -1) return undefined;
  const allowed = listed(policy.allowed.map(({ text }) => text));
  return endpointDenied(
    "allowed_endpoints",
    `${shownEndpoint(call)} is not allowed by this key's policy (allowed: ${allowed}).`,
  );
}

/** `* /**` must not open what hands out credentials: only the operation's own name does. */
function closedFinding(policy: CompiledPolicy, operation: Operation, call: CallLine): Finding | undefined {
  if (operation.class !== "closed" || isOpened(policy, operation, call)) return undefined;
  const reason = operation.reason ?? "hands out credentials";
  return endpointDenied(
    "closed",
    `${shownEndpoint(call)} ${reason}; it stays closed unless a policy allows "${operation.route}" by that exact name.`,
  );
}

function shownEndpoint({ method, path }: CallLine): string {
  return `${method} ${path.length > 100 ? `${path.slice(0, 100)}…` : path}`;
}

function isOpened(policy: CompiledPolicy, operation: Operation, call: CallLine): boolean {
  return policy.allowed.some((route) => route.text === operation.route && matchesRoute(route, call.method, call.path));
}

function endpointDenied(rule: string, sentence: string): Finding {
  return { code: "endpoint_denied", rule, message: `Keybrake: ${sentence} Do not retry.` };
}

function bodyKindFinding(vendor: Vendor, operation: Operation, call: Call): Finding | undefined {
  const kinds = operation.bodyKinds ?? vendor.bodyKinds;
  if (call.bodyKind === "none" || kinds.includes(call.bodyKind)) return undefined;
  return {
    code: "encoding_unsupported",
    rule: "body_kind",
    message: `Keybrake: ${operation.route} takes a body of the kind ${listed(kinds)}, not ${call.bodyKind}. Send the content type that the vendor documents.`,
  };
}

function exposureOf(operation: Operation, call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing {
  if (operation.exposure && operation.class !== "unknown") return operation.exposure(call, pricing, found);
  if (operation.class === "free" || operation.class === "closed") return FREE;
  const reason = operation.reason ?? "may move money, and the request does not say how much";
  const message = `Keybrake: ${call.method} ${operation.route.replace(/^\S+ /, "")} ${reason}. Do not retry.`;
  return { ok: false, code: "cost_unknown", message };
}

/** A refusal by the vendor's own file as a finding. */
function vendorFinding(operation: Operation, said: NoExposure | undefined): Finding | undefined {
  if (!said) return undefined;
  const message = said.message.startsWith("Keybrake: ") ? said.message : `Keybrake: ${said.message}`;
  const unknown = operation.class === "unknown" && said.code === "cost_unknown";
  return { code: said.code, message, rule: unknown ? "unknown_cost" : "vendor" };
}

function currencyFinding(policy: CompiledPolicy, { currency }: Exposure): Finding | undefined {
  if (currency === undefined || policy.currencies.has(currency)) return undefined;
  return {
    code: "currency_denied",
    rule: "allowed_currencies",
    message: `Keybrake: this key may charge ${listed(policy.currencies)}, not ${currency}. Use an allowed currency.`,
    details: { currency },
  };
}

/** Whether one call may cost that much. */
export function amountFinding(policy: CompiledPolicy, { micros }: Pick<Exposure, "micros">): Finding | undefined {
  const limit = policy.maxPerCallMicros;
  if (limit === undefined || micros <= limit) return undefined;
  const requested = formatUsd(micros);
  const most = formatUsd(limit);
  return {
    code: "amount_denied",
    rule: "max_amount_per_call_usd",
    message: `Keybrake: this call can cost $${requested}, over the $${most} that one call may cost under this key's policy. Lower the amount.`,
    details: { requested_usd: requested, cap_usd: most },
  };
}
