import type { Call } from "../core/call.ts";
import { formatUsd } from "../core/money.ts";
import { VERDICTS, type Verdict } from "../core/verdict.ts";
import type { Pricing, Vendor, VendorAccount } from "../vendors/vendor.ts";
import { judge } from "./judge.ts";
import type { CompiledPolicy } from "./policy.ts";

/** What the proxy would do with a call, as far as the policy alone decides: budgets, the key and the brake come after. */
export interface Explanation {
  readonly verdict: Verdict;
  /** The rule that decides: `allowed_endpoints[0]`, `parameters.currency.in`, … */
  readonly rule: string;
  /** A sentence for people. */
  readonly message: string;
  readonly advice: string;
  /** The vendor's operation that the call is, its route and class. */
  readonly operation: string;
  readonly route: string;
  readonly class: string;
  readonly kind: string;
  /** Dollars that the call would reserve, as decimal text. */
  readonly exposure_usd: string;
  /** Messages or recipients that it would count. */
  readonly sends: number;
  readonly customer: string | undefined;
  readonly recipients: readonly string[];
  readonly senders: readonly string[];
  readonly accounts: readonly string[];
}

/** The setting in which a call is explained: a policy, its vendor as it is set up here, and the operator's prices. */
export interface ExplainSetting {
  readonly policy: CompiledPolicy;
  readonly vendor: Vendor;
  readonly account: VendorAccount;
  readonly pricing: Pricing;
}

/** Explains a call that has been parsed as the proxy parses it; sends nothing and changes nothing. */
export function explain({ policy, vendor, account, pricing }: ExplainSetting, call: Call): Explanation {
  const judgement = judge(policy, vendor, account, call, pricing);
  const { operation, scope } = judgement;
  const verdict: Verdict = judgement.ok ? "allowed" : judgement.code;
  const exposureMicros = judgement.ok ? judgement.exposure.micros : judgement.exposureMicros;
  return {
    verdict,
    rule: judgement.rule,
    message: judgement.ok ? allowedMessage(policy, call, formatUsd(exposureMicros)) : judgement.message,
    advice: VERDICTS[verdict].advice,
    operation: operation?.name ?? "",
    route: operation?.route ?? "",
    class: operation?.class ?? "",
    kind: operation?.kind ?? "",
    exposure_usd: formatUsd(exposureMicros),
    sends: judgement.ok ? judgement.exposure.sends : 0,
    customer: scope?.customer,
    recipients: scope?.recipients ?? [],
    senders: scope?.senders ?? [],
    accounts: scope?.accounts ?? [],
  };
}

function allowedMessage(policy: CompiledPolicy, call: Call, exposure: string): string {
  const caps = [
    policy.dailyCapMicros === undefined ? undefined : `$${formatUsd(policy.dailyCapMicros)} a UTC day`,
    policy.totalCapMicros === undefined ? undefined : `$${formatUsd(policy.totalCapMicros)} in all`,
    policy.dailySendCap === undefined ? undefined : `${policy.dailySendCap} sends a UTC day`,
  ].filter((cap) => cap !== undefined);
  const against =
    caps.length > 0 ? `, as long as the key's caps (${caps.join(", ")}) have room` : "; the key has no cap";
  return `Keybrake: ${call.method} ${call.path} is allowed and reserves $${exposure}${against}.`;
}
