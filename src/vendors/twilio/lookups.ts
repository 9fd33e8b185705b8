import { type Call, field, type JsonValue } from "../../core/call.ts";
import type { Exposure, NoExposure, Pricing } from "../vendor.ts";
import { ceiling, costUnknown, objectOf, type Priced, priced, rejected, strangeField, sumOf } from "./money.ts";
import { LOOKUP_PACKAGES } from "./prices.ts";

/** The number's shape and country, which cost nothing (twilio.com/docs/lookup/v2-api). */
const FREE_PACKAGE = "validation";
/** Of a number in a batch (twilio-node 6.2.0, `LookupBatchRequest`): another name could be read as `fields`. */
const BATCH_FIELDS = new Set(
  "phone_number fields correlation_id country_code identity_match reassigned_number sms_pumping_risk".split(" "),
);
/** Numbers in one batch that are priced; Twilio takes fewer. */
const BATCH_MAX = 1000;

/** Of the query: what only details a package. `Type` and `AddOns` of the first version are not here. */
const LOOKUP_FIELDS = new Set(
  (
    "Fields CountryCode FirstName LastName AddressLine1 AddressLine2 City State PostalCode AddressCountryCode NationalId " +
    "DateOfBirth LastVerifiedDate VerificationSid PartnerSubId"
  ).split(" "),
);

/** A read that costs: each package in `Fields` has its price, "twilio.lookup.caller_name". Without any it is free. */
export function lookupExposure(call: Call, pricing: Pricing): Exposure | NoExposure {
  const strange = strangeField(call, LOOKUP_FIELDS);
  if (strange) return costUnknown(`the parameter ${strange} may change what a look-up costs`);
  const sum = packages(field(call, "Fields") ?? "", pricing);
  return sum.ok ? ceiling(sum.micros) : sum;
}

/** The same for many numbers in one JSON body: `{ phone_numbers: [{ phone_number, fields }] }`. */
export function batchExposure(call: Call, pricing: Pricing): Exposure | NoExposure {
  const body = objectOf(call.json);
  const beside = [...call.queryFields.keys(), ...Object.keys(body ?? {})].find((name) => name !== "phone_numbers");
  if (beside !== undefined) return costUnknown(`the parameter ${beside.slice(0, 60)} may change what a look-up costs`);
  const numbers = body?.["phone_numbers"];
  if (!Array.isArray(numbers) || numbers.length === 0 || numbers.length > BATCH_MAX) {
    return rejected(`phone_numbers is not a list of 1 to ${BATCH_MAX} numbers`);
  }
  const sum = sumOf((numbers as readonly JsonValue[]).map((number) => ofBatch(objectOf(number), pricing)));
  return sum.ok ? ceiling(sum.micros) : sum;
}

function ofBatch(number: ReturnType<typeof objectOf>, pricing: Pricing): Priced {
  if (!number) return rejected("phone_numbers has an entry that is no object");
  const strange = Object.keys(number).find((name) => !BATCH_FIELDS.has(name));
  if (strange !== undefined)
    return costUnknown(`${strange.slice(0, 60)} of a number may change what its look-up costs`);
  const fields = number["fields"];
  if (fields === undefined || fields === null) return { ok: true, micros: 0n };
  const names = Array.isArray(fields) ? fields : [fields];
  if (!names.every((name): name is string => typeof name === "string"))
    return costUnknown("fields is no list of names");
  return sumOf(names.map((name) => packages(name, pricing)));
}

function packages(fields: string, pricing: Pricing): Priced {
  const names = fields
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== FREE_PACKAGE);
  return sumOf(
    names.map((name) => {
      const known = LOOKUP_PACKAGES.find((each) => each === name);
      if (known) return priced(`twilio.lookup.${known}`, `the data package ${known}`, pricing);
      const shown = JSON.stringify(name.slice(0, 40));
      return costUnknown(`Fields has ${shown}, which is none of the data packages ${LOOKUP_PACKAGES.join(", ")}`);
    }),
  );
}
