import type { Call } from "../core/call.ts";
import type { Micros } from "../core/money.ts";
import { judge } from "../policy/judge.ts";
import type { Unpriced } from "../policy/judgement.ts";
import type { Exposure, Found, Operation, Scope } from "../vendors/vendor.ts";
import type { DataPlane } from "./data-plane.ts";
import type { IdentifiedCall } from "./identify.ts";
import type { RingKey } from "./key-ring.ts";
import type { Denial } from "./refusal.ts";

/** What the policy says of a call, before the ledger is asked. */
export type Judged =
  | {
      readonly ok: true;
      readonly rule: string;
      readonly operation: Operation;
      readonly scope: Scope;
      readonly exposure: Exposure;
      /** The vendor's object that was looked up, and its version before that. */
      readonly object?: { readonly path: string; readonly version: number };
      /** Set where nothing was looked up because the call repeats another. */
      readonly repeatOnly?: boolean;
    }
  | {
      readonly ok: false;
      readonly denial: Denial;
      readonly exposureMicros: Micros;
      readonly operation?: Operation | undefined;
      readonly scope?: Scope | undefined;
    };

/** A call that may go out as far as is known, but for what it costs: that has to be looked up at its vendor. */
export interface JudgedUnpriced {
  readonly ok: "unpriced";
  readonly unpriced: Unpriced;
  readonly identified: IdentifiedCall & { readonly call: Call };
}

/** Judges a call by its key's policy. Pure but for the limits of this process, which stand before any policy. */
export function decide(plane: DataPlane, key: RingKey, identified: IdentifiedCall): Judged | JudgedUnpriced {
  if (!identified.call) return { ok: false, denial: identified.denial, exposureMicros: 0n };
  const denial = processDenial(plane, key, identified);
  if (denial) return { ok: false, denial, exposureMicros: 0n };
  return judgedBy(key, identified);
}

/** What the key's policy says of the call, given what look-ups have found. */
export function judgedBy(
  key: RingKey,
  identified: IdentifiedCall & { readonly call: Call },
  found?: Found,
): Judged | JudgedUnpriced {
  const { call, setup } = identified;
  const judgement = judge(key.policy, setup.vendor, setup.account, call, setup.pricing, found);
  if (judgement.ok) return judgement;
  if (judgement.code === "look_up") return { ok: "unpriced", unpriced: judgement, identified };
  const { code, rule, message, details, exposureMicros, operation, scope } = judgement;
  return { ok: false, denial: { code, rule, message, details }, exposureMicros, operation, scope };
}

function processDenial(plane: DataPlane, key: RingKey, { setup }: IdentifiedCall): Denial | undefined {
  if (plane.draining) {
    return { code: "draining", rule: "server", message: "The server is restarting; retry in a moment.", details: {} };
  }
  if (!setup.secret) {
    const { name } = setup.vendor;
    const message = `No secret is configured for ${name}; the operator must run \`keybrake vendor set ${name}\`.`;
    return { code: "vendor_not_configured", rule: "vendor", message, details: { vendor: name } };
  }
  const { concurrentCallsMax, concurrentCallsPerKeyMax } = plane.limits;
  const ofKey = plane.inFlight.underWayOf(key.id);
  if (plane.inFlight.underWay < concurrentCallsMax && ofKey < concurrentCallsPerKeyMax) return undefined;
  const message = `Too many calls are under way at once (${ofKey} of this key, limit ${concurrentCallsPerKeyMax}; ${plane.inFlight.underWay} in all, limit ${concurrentCallsMax}); slow down.`;
  // Calls at the vendor end within moments.
  return { code: "rate_exceeded", rule: "concurrent_calls", message, details: {}, retryAfterSeconds: 1 };
}
