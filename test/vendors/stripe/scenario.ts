import { expect } from "bun:test";
import type { Answer, Call, JsonValue } from "../../../src/core/call.ts";
import { lookUpName } from "../../../src/vendors/look-up.ts";
import { stripe } from "../../../src/vendors/stripe.ts";
import type { Cost, Exposure, Found, LookUp, MoneyKind, NoExposure, Pricing } from "../../../src/vendors/vendor.ts";
import { makeAnswer, makeCall, makePricing, operationFor } from "../make-call.ts";

/** Dollars, and a euro that is $1.10; no other currency has a rate. */
export const PRICING: Pricing = makePricing({ eur: 1_100_000n });

type Objects = Readonly<Record<string, JsonValue>>;

/** One call to Stripe: what the request says, what Stripe says of the objects that it names, and its answer. */
export interface Scenario {
  readonly call: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: JsonValue;
  /** What look-ups find, by path and query. All of it has to be asked for, and nothing else. */
  readonly found?: Objects;
  readonly most: bigint;
  readonly source?: Exposure["source"];
  readonly currency?: string;
  readonly customer?: string;
  readonly kind: MoneyKind;
  readonly answer: JsonValue;
  readonly costs: bigint;
  readonly id?: string;
  /** The path of the object that no other call may touch meanwhile. */
  readonly object?: string;
}

export interface Asked {
  readonly exposure: Exposure | NoExposure;
  /** Paths and queries, round by round. */
  readonly rounds: readonly (readonly string[])[];
}

/** Asks for the exposure until nothing is missing, as the proxy does. */
export function askExposure(call: Call, objects: Objects = {}, pricing = PRICING): Asked {
  const operation = operationFor(stripe, call);
  if (!operation.exposure) throw new Error(`${operation.name} (${operation.class}) has no exposure`);
  const found = new Map<string, JsonValue>();
  const rounds: string[][] = [];
  for (;;) {
    const said = operation.exposure(call, pricing, found satisfies Found);
    if (said.ok || said.code !== "look_up") return { exposure: said, rounds };
    const names = said.lookUps.map(pathOf);
    rounds.push(names);
    if (rounds.length > 4) throw new Error(`asks for ever: ${names.join(", ")}`);
    for (const [index, lookUp] of said.lookUps.entries()) {
      const object = objects[names[index]!];
      if (object === undefined) throw new Error(`asks for ${names[index]}, which nobody expected`);
      found.set(lookUpName(lookUp), object);
    }
  }
}

function pathOf({ path, query }: LookUp): string {
  return query === "" ? path : `${path}?${query}`;
}

/** The cost of the answered call; its exposure comes from `askExposure`. */
export function costAfter(call: Call, exposure: Exposure, answer: Answer, pricing = PRICING): Cost {
  const { cost } = operationFor(stripe, call);
  if (!cost) throw new Error("the operation has no cost");
  return cost(call, answer, exposure, pricing);
}

/** The exposure, for calls that must have one. */
export function mostOf(call: Call, objects: Objects = {}): Exposure {
  const { exposure } = askExposure(call, objects);
  if (!exposure.ok) throw new Error(exposure.message);
  return exposure;
}

/** Plays a scenario and checks every figure of it. */
export function expectScenario(scenario: Scenario): void {
  const { form, json, found = {}, most, source, currency, customer, kind, answer, costs, id, object } = scenario;
  const call = makeCall(scenario.call, { ...(form ? { form } : {}), ...(json === undefined ? {} : { json }) });
  const operation = operationFor(stripe, call);
  const { exposure, rounds } = askExposure(call, found);
  expect(exposure).toMatchObject({ ok: true, micros: most, sends: 0, ...(source ? { source } : {}) });
  if (!exposure.ok) return;
  const whose = exposure.customer ?? stripe.scope(call, { accountId: "" }).customer;
  const cost = costAfter(call, exposure, makeAnswer(answer));
  expect({
    kind: operation.kind,
    asked: rounds.flat().toSorted(),
    currency: exposure.currency,
    customer: whose,
    object: operation.object?.(call),
    costs: cost.micros,
    id: cost.vendorTxnId,
    unreadable: cost.unreadable,
  }).toEqual({
    kind,
    asked: Object.keys(found).toSorted(),
    currency,
    customer,
    object,
    costs,
    id,
    unreadable: undefined,
  });
}
