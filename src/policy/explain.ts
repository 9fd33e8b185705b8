import type { Call } from "../core/call.ts";
import { formatUsd } from "../core/money.ts";
import { matchesRoute } from "../core/route.ts";
import { VERDICTS, type Verdict } from "../core/verdict.ts";
import type { Pricing, Vendor, VendorAccount } from "../vendors/vendor.ts";
import { capsInWords } from "./caps-in-words.ts";
import { judge } from "./judge.ts";
import type { Judgement } from "./judgement.ts";
import type { CompiledPolicy } from "./policy.ts";
import { unpricedInWords } from "./unknown-cost.ts";

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
  /** Dollars that the call would reserve, as decimal text; 0 where they are looked up. */
  readonly exposure_usd: string;
  /** What the proxy would ask the vendor first (`GET /v1/charges/ch_1`), because the request does not say what it costs. */
  readonly looks_up: readonly string[];
  /** The most that one call may cost, as decimal text, where the policy has a limit: it decides after a look-up, too. */
  readonly max_amount_per_call_usd: string | null;
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
  const said = saying(policy, call, judgement);
  return {
    ...said,
    advice: VERDICTS[said.verdict].advice,
    operation: operation?.name ?? "",
    route: operation?.route ?? "",
    class: operation?.class ?? "",
    kind: (judgement.ok ? judgement.exposure.kind : undefined) ?? operation?.kind ?? "",
    max_amount_per_call_usd: policy.maxPerCallMicros === undefined ? null : formatUsd(policy.maxPerCallMicros),
    sends: judgement.ok ? judgement.exposure.sends : 0,
    customer: scope?.customer,
    recipients: scope?.recipients ?? [],
    senders: scope?.senders ?? [],
    accounts: scope?.accounts ?? [],
  };
}

type Saying = Pick<Explanation, "verdict" | "rule" | "message" | "exposure_usd" | "looks_up">;

function saying(policy: CompiledPolicy, call: Call, judgement: Judgement): Saying {
  if (judgement.ok) {
    const { exposure, operation } = judgement;
    const exposure_usd = formatUsd(exposure.micros);
    const reserves = `reserves $${exposure_usd}${exposure.unpriced ? unpricedInWords(exposure) : ""}`;
    const message = allowedMessage(policy, call, exposure.kind ?? operation.kind, reserves);
    return { verdict: "allowed", rule: judgement.rule, message, exposure_usd, looks_up: [] };
  }
  if (judgement.code === "look_up") {
    const looks_up = judgement.lookUps.map(({ method, path }) => `${method} ${path}`);
    const reserves = `reserves what ${looks_up.join(" and ")} says that it costs${limitInWords(policy)}`;
    const message = allowedMessage(policy, call, judgement.operation.kind, reserves);
    return { verdict: "allowed", rule: letInBy(policy, call), message, exposure_usd: formatUsd(0n), looks_up };
  }
  const { code: verdict, rule, message, exposureMicros } = judgement;
  return { verdict, rule, message, exposure_usd: formatUsd(exposureMicros), looks_up: [] };
}

/** The rule that lets a call in whose price is not known yet. */
function letInBy({ allowed }: CompiledPolicy, { method, path }: Call): string {
  return `allowed_endpoints[${allowed.findIndex((route) => matchesRoute(route, method, path))}]`;
}

function limitInWords({ maxPerCallMicros }: CompiledPolicy): string {
  return maxPerCallMicros === undefined ? "" : ` (over $${formatUsd(maxPerCallMicros)} it is refused: amount_denied)`;
}

function allowedMessage(policy: CompiledPolicy, call: Call, kind: string, reserves: string): string {
  const caps = capsInWords(policy, kind);
  const against =
    caps.length > 0 ? `, as long as the key's caps (${caps.join(", ")}) have room` : "; the key has no cap";
  return `Keybrake: ${call.method} ${call.path} is allowed and ${reserves}${against}.`;
}
