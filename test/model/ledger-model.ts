import type { CallState, Resolution } from "../../src/core/hold.ts";
import type { Micros } from "../../src/core/money.ts";
import { precedes, type RefusalCode } from "../../src/core/verdict.ts";
import type { EpochMs } from "../../src/core/window.ts";
import type { HoldRequest, LedgerEntry } from "../../src/ledger/entry.ts";
import type { Caps } from "./steps.ts";

const DAY_MS = 86_400_000;

export interface ModelKey {
  readonly id: string;
  readonly vendor: string;
  readonly label: string;
  caps: Caps;
  expiresAt: EpochMs;
  version: number;
  isRevoked: boolean;
}

export interface ModelBrake {
  readonly vendor: string | null;
  readonly labelPrefix: string | null;
}

/** A call that has a row. */
export interface ModelCall {
  readonly id: string;
  readonly keyId: string;
  readonly owner: string;
  readonly exposure: Micros;
  readonly sends: bigint;
  /** A kind of money counts only where it has a cap when the call is decided. */
  readonly countsAsRefund: boolean;
  /** The UTC day of the ledger's clock when it was decided. */
  readonly day: number;
  /** Why it was refused. */
  readonly refusal: RefusalCode | null;
  state: CallState;
  /** Left on the books: only where it is settled. */
  cost: Micros;
  /** It was unresolved once and is no longer: the books may keep a row of each. */
  wasUnresolved: boolean;
}

export type Expected =
  | { readonly kind: "admitted"; readonly day: number }
  | {
      readonly kind: "refused";
      readonly code: RefusalCode;
      readonly cap: CapName | undefined;
      readonly used: bigint;
    }
  | { readonly kind: "stale" }
  | { readonly kind: "resolved"; readonly cost: Micros }
  | { readonly kind: "not_resolved"; readonly why: "unknown_call" | "already_resolved" };

/** In the order in which they answer when several are full. */
export const CAP_NAMES = ["daily_usd_cap", "total_usd_cap", "daily_send_cap", "caps.refund.daily_usd"] as const;
export type CapName = (typeof CAP_NAMES)[number];

/**
 * The ledger as the specification words it, without counters, indexes, charges or caches: every question is answered by
 * going through all calls. It shares no code with the ledger; the order of the verdict codes is the domain's own.
 *
 * Left out on purpose: amounts above what a counter holds, versions of vendors' settings, and where in a batch's
 * transaction time is read (a batch has one time, and the clock of the tests moves by whole seconds).
 */
export class LedgerModel {
  readonly keys = new Map<string, ModelKey>();
  readonly brakes: ModelBrake[] = [];
  /** By owner: until when it lives. */
  readonly leases = new Map<string, EpochMs>();
  calls = new Map<string, ModelCall>();

  /** What the entries of a batch must be answered at the ledger's time `now`. Changes nothing. */
  foresee(entries: readonly LedgerEntry[], now: EpochMs, inDoubt: readonly string[]): readonly Expected[] {
    const before = this.calls;
    this.calls = new Map([...before].map(([id, call]) => [id, { ...call }]));
    const expected = this.perform(entries, now, inDoubt);
    this.calls = before;
    return expected;
  }

  /**
   * As `foresee`, and it happens.
   * @param inDoubt calls whose COMMIT failed: they were refused, and are withdrawn before anything else is decided.
   */
  perform(entries: readonly LedgerEntry[], now: EpochMs, inDoubt: readonly string[]): readonly Expected[] {
    for (const callId of inDoubt) this.#end(callId, "released", 0n);
    return entries.map((entry) =>
      entry.type === "hold" ? this.#hold(entry, now) : this.#end(entry.callId, entry.to, entry.end.costMicros),
    );
  }

  /** Holds whose owner has no living lease; the number of them. */
  sweep(now: EpochMs): number {
    let swept = 0;
    for (const call of this.calls.values()) {
      if (call.state !== "held" || (this.leases.get(call.owner) ?? 0) > now) continue;
      call.state = "unresolved";
      swept += 1;
    }
    return swept;
  }

  /** What all calls of a key leave on one of its caps. A hold counts in the day in which it was taken, for ever. */
  used(keyId: string, cap: CapName, day: number): bigint {
    let sum = 0n;
    for (const call of this.calls.values()) {
      if (call.keyId === keyId && (cap === "total_usd_cap" || call.day === day)) sum += left(call, cap);
    }
    return sum;
  }

  #hold(request: HoldRequest, now: EpochMs): Expected {
    const expected = this.#judge(request, now);
    if (expected.kind === "stale") return expected;
    this.calls.set(request.facts.id, {
      id: request.facts.id,
      keyId: request.facts.vaultKeyId,
      owner: request.owner,
      exposure: request.exposureMicros,
      sends: BigInt(request.sends),
      countsAsRefund: request.kind === "refund" && this.keys.get(request.facts.vaultKeyId)!.caps.refunds !== null,
      day: dayOf(now),
      refusal: expected.kind === "refused" ? expected.code : null,
      state: expected.kind === "refused" ? "refused" : "held",
      cost: 0n,
      wasUnresolved: false,
    });
    return expected;
  }

  #judge(request: HoldRequest, now: EpochMs): Extract<Expected, { readonly kind: "admitted" | "refused" | "stale" }> {
    const key = this.keys.get(request.facts.vaultKeyId)!;
    if (key.version !== request.keyVersion) return { kind: "stale" };
    const stop = this.#stop(key, now);
    const own = request.refusal?.code;
    const code = own && (!stop || precedes(own, stop)) ? own : stop;
    if (code) return { kind: "refused", code, cap: undefined, used: 0n };
    const cap = this.fullCap(request, dayOf(now));
    if (cap) return { kind: "refused", code: "cap_exceeded", cap, used: this.used(key.id, cap, dayOf(now)) };
    return { kind: "admitted", day: dayOf(now) };
  }

  #stop(key: ModelKey, now: EpochMs): RefusalCode | undefined {
    if (key.isRevoked) return "key_revoked";
    if (key.expiresAt <= now) return "key_expired";
    const isBraked = this.brakes.some(
      ({ vendor, labelPrefix }) =>
        (vendor === null || vendor === key.vendor) && (labelPrefix === null || key.label.startsWith(labelPrefix)),
    );
    return isBraked ? "brake_engaged" : undefined;
  }

  /** The first cap, of those in force, that has no room for the call. A call that asks for nothing needs none. */
  fullCap(request: HoldRequest, day: number): CapName | undefined {
    const { caps } = this.keys.get(request.facts.vaultKeyId)!;
    return CAP_NAMES.find((name) => {
      const cap = {
        daily_usd_cap: caps.daily,
        total_usd_cap: caps.total,
        daily_send_cap: caps.sends,
        "caps.refund.daily_usd": request.kind === "refund" ? caps.refunds : null,
      }[name];
      const wanted = name === "daily_send_cap" ? BigInt(request.sends) : request.exposureMicros;
      return cap !== null && wanted > 0n && this.used(request.facts.vaultKeyId, name, day) + wanted > cap;
    });
  }

  #end(callId: string, to: Resolution, cost: Micros): Expected {
    const call = this.calls.get(callId);
    if (!call) return { kind: "not_resolved", why: "unknown_call" };
    const isOpen = call.state === "held" || (call.state === "unresolved" && to !== "unresolved");
    if (!isOpen) return { kind: "not_resolved", why: "already_resolved" };
    if (call.state === "unresolved") call.wasUnresolved = true;
    call.state = to;
    // Money that comes back counts as money that went: a refund loop empties an account.
    call.cost = to === "settled" ? absolute(cost) : 0n;
    return { kind: "resolved", cost: call.cost };
  }
}

export function dayOf(time: EpochMs): number {
  return Math.floor(time / DAY_MS);
}

function absolute(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}

/** What one call leaves on a cap: what it held until its end is known; then its cost, and the sends that were sent. */
function left(call: ModelCall, cap: CapName): bigint {
  if (call.state === "refused" || call.state === "released") return 0n;
  if (cap === "daily_send_cap") return call.sends;
  if (cap === "caps.refund.daily_usd" && !call.countsAsRefund) return 0n;
  return call.state === "settled" ? call.cost : call.exposure;
}
