import type { Call, JsonValue } from "../../core/call.ts";
import { graphqlRefusal } from "../graphql.ts";
import type { NoExposure, Operation } from "../vendor.ts";
import { badMailHeaders } from "./addresses.ts";
import type { DeclaredOperation } from "./operation-schema.ts";
import { type Place, parsePlace, readPlace, subjectOf } from "./place.ts";

type Check = (call: Call) => NoExposure | undefined;

/** Why one call may not leave although its operation may: a forbidden field, a mail header, a GraphQL document. */
export function refuseOf({ forbid = [], mail_headers, graphql, price }: DeclaredOperation): Operation["refuse"] {
  const each = price?.each === undefined ? undefined : parsePlace(price.each);
  const checks: readonly Check[] = [
    ...forbid.map(({ field, reason, unless = [] }) => forbidden(parsePlace(field), reason, new Set(unless))),
    ...(mail_headers === undefined ? [] : [mailHeaders(parsePlace(mail_headers), each)]),
    ...(graphql ? [graphqlRefusal(graphql)] : []),
  ];
  if (checks.length === 0) return undefined;
  return (call) => {
    for (const check of checks) {
      const refusal = check(call);
      if (refusal) return refusal;
    }
    return undefined;
  };
}

function forbidden(place: Place, reason: string, unless: ReadonlySet<JsonValue>): Check {
  return (call) => {
    const reading = readPlace(subjectOf(call), place);
    if (reading.state === "missing" || (reading.state === "there" && unless.has(reading.value))) return undefined;
    return rejected(reading.state === "odd" ? reading.why : `the field ${place.text} ${reason}`);
  };
}

/** In the body, and in every entry of the list that the price goes through. */
function mailHeaders(place: Place, each: Place | undefined): Check {
  return (call) => {
    const body = subjectOf(call);
    const list = each ? readPlace(body, each) : undefined;
    const entries = list?.state === "there" && Array.isArray(list.value) ? list.value : [];
    for (const value of [call.json, ...entries]) {
      const reading = readPlace({ ...body, value }, place);
      if (reading.state === "missing" || (reading.state === "odd" && Array.isArray(value))) continue;
      const why = reading.state === "odd" ? reading.why : badMailHeaders(reading.value);
      if (why !== undefined) return rejected(reading.state === "odd" ? why : `${place.text} ${why}`);
    }
    return undefined;
  };
}

function rejected(why: string): NoExposure {
  return { ok: false, code: "request_rejected", message: `Keybrake: ${why}.` };
}
