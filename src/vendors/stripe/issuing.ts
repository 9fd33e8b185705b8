import { type Answer, type Call, type Fields, field, type JsonValue } from "../../core/call.ts";
import {
  asObject,
  costOf,
  costUnknown,
  minorUnits,
  misspelling,
  NOTHING,
  nothingSpent,
  readAmount,
  rejected,
} from "../stripe-money.ts";
import type { Cost, Exposure, Found, Missing, NoExposure, Operation, Pricing } from "../vendor.ts";
import { exposureIn, lookedAt, objectInPath, onObject, told } from "./found-object.ts";
import { costless, descriptive, free, lookedUp, priced } from "./operation.ts";

const cardInPath = objectInPath("/v1/issuing/cards");
const authorizationInPath = objectInPath("/v1/issuing/authorizations");

/** `spending_controls[spending_limits][0][amount]`, and the sibling fields that say for what it holds. */
const LIMIT = /^spending_controls\[spending_limits\]\[([0-9]{1,3})\]\[(amount|interval|categories)\](?:\[.+)?$/;
/** Any limit in another spelling would be a limit that is not counted. */
const ANY_LIMIT = /^spending_controls(?:\[spending_limits\]|$)/i;

/**
 * Stripe Issuing. What a card may spend is committed when the card can spend it: by its largest limit over all categories,
 * once, as a subscription's first period is. A card without such a limit could spend the whole Issuing balance.
 */
export const ISSUING: readonly Operation[] = [
  priced("issuing.cards.create", "card", "POST /v1/issuing/cards", {
    exposure: createdCard,
    cost: committed,
    counts: "its largest spending limit; nothing while it is inactive",
  }),
  lookedUp("issuing.cards.update", "card", "POST /v1/issuing/cards/*", {
    exposure: updatedCard,
    cost: committed,
    counts: "its largest spending limit, where it is set or the card becomes active",
  }),
  lookedUp("issuing.authorizations.approve", "card", "POST /v1/issuing/authorizations/*/approve", {
    exposure: onObject({
      amountField: "amount",
      path: authorizationInPath,
      within: (authorization) => asObject(authorization["pending_request"]) ?? authorization,
      remaining: (request) => minorUnits(request, "amount"),
    }),
    cost: costOf((authorization) => (authorization["approved"] === false ? 0n : minorUnits(authorization, "amount"))),
    counts: "the amount, or all that the merchant asks for",
  }),
  priced("issuing.cardholders.create", "card", "POST /v1/issuing/cardholders", {
    exposure: () => NOTHING,
    cost: committed,
    counts: "nothing: a holder without a card spends nothing",
  }),
  priced("issuing.cardholders.update", "card", "POST /v1/issuing/cardholders/*", {
    exposure: (call, pricing) => {
      const currency = field(call, "spending_controls[spending_limits_currency]");
      return namesLimit(call) ? cardLimit(call, pricing, currency) : NOTHING;
    },
    cost: committed,
    counts: "the largest spending limit that it sets",
  }),
  ...costless("issuing.disputes.submit", "write", "nothing: what it wins comes back", [
    "POST /v1/issuing/disputes/*/submit",
  ]),
  ...descriptive("issuing.descriptions", ["POST /v1/issuing/authorizations/*", "POST /v1/issuing/transactions/*"]),
  ...free("issuing", [
    "POST /v1/issuing/authorizations/*/decline",
    "POST /v1/issuing/disputes",
    "POST /v1/issuing/disputes/*",
    "POST /v1/issuing/personalization_designs",
    "POST /v1/issuing/personalization_designs/*",
    "POST /v1/issuing/tokens/*",
  ]),
];

/** The answer shows the card as it is, not what the call has committed: that is what was held. */
function committed(_call: Call, answer: Answer, exposure: Exposure): Cost {
  return {
    ...nothingSpent(answer),
    micros: exposure.micros,
    source: exposure.micros === 0n ? "vendor_response" : exposure.source,
  };
}

function createdCard(call: Call, pricing: Pricing): Exposure | NoExposure {
  const misspelt = misspelling(call, SPELT);
  if (misspelt) return misspelt;
  return field(call, "status") === "active" ? cardLimit(call, pricing, field(call, "currency")) : NOTHING;
}

function updatedCard(call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing {
  const misspelt = misspelling(call, SPELT);
  if (misspelt) return misspelt;
  const setsLimit = namesLimit(call);
  if (!setsLimit && field(call, "status") !== "active") return NOTHING;
  const path = cardInPath(call);
  if (path === undefined) return rejected("the id of the card has other characters than letters, digits and _");
  const looked = lookedAt(found, path);
  if (!looked.ok) return looked;
  const currency = looked.object["currency"];
  if (setsLimit) return cardLimit(call, pricing, typeof currency === "string" ? currency : undefined);
  const limits = asObject(looked.object["spending_controls"])?.["spending_limits"];
  const largest = largestOf(Array.isArray(limits) ? limits.map(limitOfJson) : []);
  return largest === undefined ? UNLIMITED : told(exposureIn(largest, currency, pricing), true, undefined);
}

/** What decides whether the card can spend, and in what. */
const SPELT = ["currency", "status"];

const UNLIMITED = costUnknown(
  "the card has no spending limit over all categories for a time (daily, weekly, monthly, yearly or all_time); set spending_controls[spending_limits][0][amount] and [interval]",
);

function namesLimit(call: Call): boolean {
  return [...call.bodyFields.keys(), ...call.queryFields.keys()].some((name) => ANY_LIMIT.test(name));
}

function cardLimit(call: Call, pricing: Pricing, currency: string | undefined): Exposure | NoExposure {
  const limits = new Map<string, Limit>();
  for (const fields of [call.bodyFields, call.queryFields]) {
    const refused = readLimits(fields, limits);
    if (refused) return refused;
  }
  const largest = largestOf([...limits.values()]);
  return largest === undefined ? UNLIMITED : exposureIn(largest, currency, pricing);
}

interface Limit {
  amount?: bigint | undefined;
  interval?: string | undefined;
  hasCategories?: boolean;
}

function readLimits(fields: Fields, limits: Map<string, Limit>): NoExposure | undefined {
  for (const [name, value] of fields) {
    if (!ANY_LIMIT.test(name)) continue;
    const match = LIMIT.exec(name);
    if (!match) return rejected(`the parameter ${name.slice(0, 80)} is no spending limit that Keybrake can read`);
    const limit = limits.get(match[1]!) ?? {};
    limits.set(match[1]!, limit);
    if (match[2] === "categories") limit.hasCategories = true;
    else if (match[2] === "interval") limit.interval = value;
    else {
      const amount = readAmount(name, value);
      if (typeof amount !== "bigint") return amount;
      limit.amount = amount;
    }
  }
  return undefined;
}

function limitOfJson(json: JsonValue): Limit {
  const object = asObject(json);
  const { categories, interval } = object ?? {};
  return {
    amount: object && minorUnits(object, "amount"),
    interval: typeof interval === "string" ? interval : undefined,
    hasCategories: Array.isArray(categories) && categories.length > 0,
  };
}

/** Limits of single categories or single authorisations bound nothing by themselves. */
function largestOf(limits: readonly Limit[]): bigint | undefined {
  let largest: bigint | undefined;
  for (const { amount, interval, hasCategories } of limits) {
    if (amount === undefined || hasCategories || interval === undefined || interval === "per_authorization") continue;
    if (largest === undefined || amount > largest) largest = amount;
  }
  return largest;
}
