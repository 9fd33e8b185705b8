import type { Call, JsonValue } from "../core/call.ts";
import { standingRefusal } from "../ledger/decide.ts";
import { objectName } from "../ledger/object.ts";
import { lookUpName, readOf } from "../vendors/look-up.ts";
import type { LookUp } from "../vendors/vendor.ts";
import { callFacts } from "./call-facts.ts";
import type { DataPlane } from "./data-plane.ts";
import { type Judged, type JudgedUnpriced, judgedBy } from "./decide.ts";
import { type Reading, read } from "./forward.ts";
import type { RingKey } from "./key-ring.ts";
import { type Denial, holdDenial } from "./refusal.ts";
import type { VendorSetup } from "./vendor-desk.ts";

/** A look-up may follow from another (a refund's PaymentIntent, then its charge); more than this no operation needs. */
const ROUNDS_MAX = 4;
/** For one call: the items of a subscription, at Stripe's most, and some. */
const LOOK_UPS_MAX = 50;

/**
 * Judges a call whose request does not say what it costs: asks the vendor, with the real secret, and judges again with
 * what was found. Nothing is asked on behalf of a call that is refused anyway.
 */
export async function lookUp(
  plane: DataPlane,
  key: RingKey,
  { identified, unpriced }: JudgedUnpriced,
): Promise<Judged> {
  const { setup, call } = identified;
  const path = unpriced.operation.object?.(call);
  const object = path === undefined ? undefined : objectName(setup.vendor.name, path);
  // What the last answer showed may not be on disk yet, and an agent confirms at once what it has made.
  await plane.ledger.flush();
  const standing = await plane.store.standing(key.id, object, plane.clock.now());
  const stop = standingRefusal(standing, { facts: callFacts(key, identified, unpriced) });
  const { operation, scope } = unpriced;
  const refused = (denial: Denial): Judged => ({ ok: false, denial, exposureMicros: 0n, operation, scope });
  if (stop) return refused(holdDenial({ admitted: false, ...stop, budget: undefined }, 0n, undefined));
  const found = new Map<string, JsonValue>();
  if (path !== undefined && standing.object?.remembered) {
    found.set(lookUpName(readOf(path)), JSON.parse(standing.object.remembered) as JsonValue);
  }
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const judged = judgedBy(key, identified, found);
    if (judged.ok !== "unpriced") return judged.ok ? { ...judged, objectVersion: standing.object?.version } : judged;
    const asked = judged.unpriced.lookUps.filter((one) => !found.has(lookUpName(one)));
    if (asked.length === 0 || found.size + asked.length > LOOK_UPS_MAX) break;
    const readings = await Promise.all(asked.map((one) => ask(plane, setup, call, one)));
    for (const [index, reading] of readings.entries()) {
      const one = asked[index]!;
      if (reading.kind !== "found") return refused(failure(setup, one, reading));
      found.set(lookUpName(one), reading.json);
    }
  }
  return refused({
    code: "cost_unknown",
    rule: "look_up",
    message: `What this call costs could not be found out with ${LOOK_UPS_MAX} look-ups at ${setup.vendor.title}. Do not retry.`,
    details: {},
  });
}

/** What can never change is asked for once; the least recently used is forgotten. */
const KEPT_MAX = 10_000;

async function ask(plane: DataPlane, setup: VendorSetup, call: Call, lookUp: LookUp): Promise<Reading> {
  if (!lookUp.isImmutable) return read(plane, setup, lookUp, call);
  const whose = setup.vendor.requestHeaders.map((header) => call.headers.get(header) ?? "").join("\n");
  const name = `${setup.vendor.name} ${setup.version} ${lookUpName(lookUp)}\n${whose}`;
  const known = plane.immutables.get(name);
  plane.immutables.delete(name);
  const reading = known ?? (await read(plane, setup, lookUp, call));
  if (reading.kind === "found") plane.immutables.set(name, reading);
  if (plane.immutables.size > KEPT_MAX) plane.immutables.delete(plane.immutables.keys().next().value!);
  return reading;
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
