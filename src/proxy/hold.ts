import type { CallFacts } from "../audit/row.ts";
import type { Call } from "../core/call.ts";
import type { Micros } from "../core/money.ts";
import type { BudgetUse, HoldReceipt, Resumed } from "../ledger/entry.ts";
import { type ObjectTerms, objectName } from "../ledger/object.ts";
import type { RepeatTerms } from "../ledger/repeat.ts";
import { causeText } from "../log.ts";
import type { Period } from "../telemetry/period.ts";
import type { Exposure, Operation } from "../vendors/vendor.ts";
import { callFacts } from "./call-facts.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Judged } from "./decide.ts";
import type { IdentifiedCall } from "./identify.ts";
import type { RingKey } from "./key-ring.ts";
import { type Denial, holdDenial, type Outgoing } from "./refusal.ts";
import { repeatTerms, replay } from "./repeat.ts";
import type { VendorSetup } from "./vendor-desk.ts";

/** A call whose exposure is reserved and whose row is on disk: it may go out, once. */
export interface AdmittedCall {
  readonly key: RingKey;
  readonly call: Call;
  readonly setup: VendorSetup;
  readonly facts: CallFacts;
  readonly operation: Operation;
  readonly exposure: Exposure;
  /** The dollar budget with the least left, this call included. */
  readonly tightest: BudgetUse | undefined;
  /** How its repeats are told; undefined where each is a call of its own. */
  readonly repeat: RepeatTerms | undefined;
  /** The name of the vendor's object that no other call may touch while this one is under way. */
  readonly object: string | undefined;
  /** Set where the call finds out what became of an earlier one, which holds the money. */
  readonly resumes: Resumed | undefined;
  /** The store's own reference to the hold. */
  readonly receipt: HoldReceipt | undefined;
  /** `Clock.elapsed()` when the call came in. */
  readonly startedMs: number;
  /** For the ledger. */
  readonly waited: Period;
}

/** Of a call that ends here. */
interface Unsent {
  readonly facts: CallFacts;
  /** For the ledger. */
  readonly waited: Period;
}

export type HeldCall =
  | { readonly state: "held"; readonly admitted: AdmittedCall }
  | ({ readonly state: "refused"; readonly denial: Denial } & Unsent)
  /** A repeat, with the answer that the first call got. */
  | ({ readonly state: "replayed"; readonly outgoing: Outgoing } & Unsent)
  | { readonly state: "stale" };

/**
 * A repeat that finds out what became of an earlier call is measured by what that one holds: what can be looked up now is
 * how the vendor's objects are after it, perhaps.
 */
function heldEarlier(
  { sends, currency, source, micros, unpriced = false }: Exposure,
  heldMicros: Micros | undefined,
): Exposure {
  return { ok: true, micros: heldMicros ?? micros, sends, currency, source, unpriced };
}

function objectTerms(
  { vendor }: VendorSetup,
  { operation, object }: Judged & { readonly ok: true },
  call: Call,
): ObjectTerms | undefined {
  const path = object?.path ?? operation.object?.(call);
  return path === undefined ? undefined : { name: objectName(vendor.name, path), version: object?.version };
}

/**
 * Reserves the exposure and writes the audit row, or writes the row of the refusal: one durable transaction either way.
 * Where it cannot be written the call is refused; nothing is ever waved through.
 */
export async function hold(
  plane: DataPlane,
  key: RingKey,
  identified: IdentifiedCall,
  judged: Judged,
): Promise<HeldCall> {
  const { setup, startedMs } = identified;
  const facts = callFacts(key, identified, judged);
  const { call } = identified;
  const repeat = judged.ok && call ? repeatTerms(key, setup, call, facts.id) : undefined;
  const object = judged.ok && call ? objectTerms(setup, judged, call) : undefined;
  const exposureMicros = judged.ok ? judged.exposure.micros : judged.exposureMicros;
  const askedMs = plane.clock.elapsed();
  const unsent = () => ({ facts, waited: { fromMs: askedMs, toMs: plane.clock.elapsed() } });
  try {
    const decision = await plane.ledger.hold({
      type: "hold",
      facts,
      keyVersion: key.version,
      vendorVersion: setup.version,
      refusal: judged.ok ? undefined : judged.denial,
      rule: judged.ok ? judged.rule : judged.denial.rule,
      exposureMicros,
      sends: judged.ok ? judged.exposure.sends : 0,
      kind: (judged.ok ? judged.exposure.kind : undefined) ?? judged.operation?.kind,
      budgets: plane.budgets.of(key, facts.vendor),
      owner: plane.owner,
      ...(repeat ? { repeat } : {}),
      ...(object ? { object } : {}),
      ...(judged.ok && judged.repeatOnly ? { repeatOnly: true } : {}),
    });
    if (decision.admitted && judged.ok && call) {
      const { operation } = judged;
      const { tightest, receipt, resumes } = decision;
      const exposure = resumes ? heldEarlier(judged.exposure, resumes.heldMicros) : judged.exposure;
      const ledger = { tightest, receipt, resumes, waited: unsent().waited };
      return {
        state: "held",
        admitted: { key, call, setup, facts, operation, exposure, repeat, object: object?.name, startedMs, ...ledger },
      };
    }
    if (decision.admitted) throw new Error("the ledger admitted a call that its policy refused");
    if (decision.code === "stale") return { state: "stale" };
    if (decision.code === "replayed") {
      const outgoing = replay(plane, key.id, repeat!.requestHash, decision.answer, facts.id);
      if (!outgoing) throw new Error(`the answer recorded for call ${decision.heldBy} cannot be opened`);
      return { state: "replayed", outgoing, ...unsent() };
    }
    const earlier = judged.ok ? undefined : judged.denial;
    return { state: "refused", denial: holdDenial(decision, exposureMicros, earlier, object?.name), ...unsent() };
  } catch (cause) {
    plane.log.error("hold_failed", { call: facts.id, cause: causeText(cause) });
    const message = "The call could not be recorded, so it was not forwarded; retry later.";
    return {
      state: "refused",
      denial: { code: "store_unavailable", rule: "store", message, details: {} },
      ...unsent(),
    };
  }
}
