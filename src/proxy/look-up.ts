import type { JsonValue } from "../core/call.ts";
import { standingRefusal } from "../ledger/decide.ts";
import { objectName, type VendorObject } from "../ledger/object.ts";
import type { Unpriced } from "../policy/judgement.ts";
import { lookUpName, readOf } from "../vendors/look-up.ts";
import type { Exposure, LookUp } from "../vendors/vendor.ts";
import { callFacts } from "./call-facts.ts";
import type { DataPlane } from "./data-plane.ts";
import { type Judged, type JudgedUnpriced, judgedBy } from "./decide.ts";
import { type Reading, read } from "./forward.ts";
import type { RingKey } from "./key-ring.ts";
import { type Denial, holdDenial } from "./refusal.ts";
import { repeatTerms } from "./repeat.ts";
import type { VendorSetup } from "./vendor-desk.ts";

/** A look-up may follow from another (a refund's PaymentIntent, then its charge); more than this no operation needs. */
const ROUNDS_MAX = 4;
/** For one call: the items of a subscription, at Stripe's most, and some. */
const LOOK_UPS_MAX = 50;

/**
 * Judges a call whose request does not say what it costs: asks the vendor, with the real secret, and judges again with
 * what was found. Nothing is asked on behalf of a call that is refused anyway, or that repeats another and will get its
 * answer.
 */
export async function lookUp(
  plane: DataPlane,
  key: RingKey,
  { identified, unpriced }: JudgedUnpriced,
): Promise<Judged> {
  // What the last answer showed may not be on disk yet, and an agent confirms at once what it has made.
  await plane.ledger.flush();
  const { setup, call } = identified;
  const { operation, scope } = unpriced;
  const repeat = repeatTerms(key, setup, call, identified.request.incoming.id);
  const slotNames = repeat?.slots.map(({ name }) => name);
  let path = operation.object?.(call);
  for (let attempt = 0; attempt < OBJECTS_MAX; attempt++) {
    const name = path === undefined ? undefined : objectName(setup.vendor.name, path);
    const standing = await plane.store.standing(key.id, name, plane.clock.now(), slotNames);
    const stop = standingRefusal(standing, { facts: callFacts(key, identified, unpriced) });
    if (stop) return refused(unpriced, holdDenial({ admitted: false, ...stop, budget: undefined }, 0n, undefined));
    if (standing.isRepeat)
      return { ok: true, rule: "idempotency", operation, scope, exposure: UNSAID, repeatOnly: true };
    const judged = await judgeWithFindings(plane, key, { identified, unpriced }, rememberedAt(path, standing.object));
    if (!judged.ok) return judged;
    const object = judged.exposure.object ?? path;
    if (object === path)
      return path === undefined ? judged : { ...judged, object: { path, version: standing.object!.version } };
    // Only now is it known which object must not change: what was found before that does not count.
    path = object;
  }
  return refused(unpriced, unpriceable(setup));
}

/** An operation names its object, or its first look-up does. */
const OBJECTS_MAX = 2;

/** A repeat is measured by what the first call holds. */
const UNSAID: Exposure = { ok: true, micros: 0n, sends: 0, currency: undefined, source: "none" };

function rememberedAt(path: string | undefined, object: VendorObject | undefined): Map<string, JsonValue> {
  if (path === undefined || !object?.remembered) return new Map();
  return new Map([[lookUpName(readOf(path)), JSON.parse(object.remembered) as JsonValue]]);
}

async function judgeWithFindings(
  plane: DataPlane,
  key: RingKey,
  { identified, unpriced }: Pick<JudgedUnpriced, "identified" | "unpriced">,
  found: Map<string, JsonValue>,
): Promise<Judged> {
  const { setup, call } = identified;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const judged = judgedBy(key, identified, found);
    if (judged.ok !== "unpriced") return judged;
    const asked = judged.unpriced.lookUps.filter((one) => !found.has(lookUpName(one)));
    if (asked.length === 0 || found.size + asked.length > LOOK_UPS_MAX) break;
    const readings = await Promise.all(asked.map((one) => read(plane, setup, one, call)));
    for (const [index, reading] of readings.entries()) {
      const one = asked[index]!;
      if (reading.kind !== "found") return refused(unpriced, failure(setup, one, reading));
      found.set(lookUpName(one), reading.json);
    }
  }
  return refused(unpriced, unpriceable(setup));
}

function refused({ operation, scope }: Unpriced, denial: Denial): Judged {
  return { ok: false, denial, exposureMicros: 0n, operation, scope };
}

function unpriceable({ vendor }: VendorSetup): Denial {
  const message = `What this call costs could not be found out with ${LOOK_UPS_MAX} look-ups at ${vendor.title}. Do not retry.`;
  return { code: "cost_unknown", rule: "look_up", message, details: {} };
}

/** Why the call is refused whose price could not be read: nothing of it was sent. */
function failure(
  { vendor }: VendorSetup,
  { method, path }: LookUp,
  reading: Exclude<Reading, { kind: "found" }>,
): Denial {
  const asked = `What this call costs had to be looked up first (${method} ${path} at ${vendor.title})`;
  if (reading.kind === "failed") {
    const message = `${asked}, which failed: ${reading.why}. The call itself was not sent. Retry later.`;
    return { code: "upstream_unreachable", rule: "look_up", message, details: {} };
  }
  if (reading.status === 404) {
    const message = `${asked}, and there is no such object (404). The call was not sent. Do not retry with this id.`;
    return { code: "request_rejected", rule: "look_up", message, details: {} };
  }
  const message = `${asked}, which was answered ${reading.status}; the operator's secret may have no right to read it. The call was not sent.`;
  return { code: "cost_unknown", rule: "look_up", message, details: {} };
}
