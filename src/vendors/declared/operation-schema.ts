import { type Static, Type } from "@sinclair/typebox";
import { CAPPED_KINDS } from "../vendor.ts";
import { count, object, oneOf, POINTER, place, pointer, ROUTE, route, text, usd } from "./schema-parts.ts";

const CounterSchema = object(
  {
    number: Type.Optional(place("The number that stands in this field.")),
    items: Type.Optional(place("How many entries the list in this field has.")),
    addresses: Type.Optional(
      place(
        "How many mail addresses are in this field: text with commas, a list of texts, or objects with an email. They are recipients, too.",
      ),
    ),
    missing: Type.Optional(count("What counts where the field is missing. Without it such a call is refused.")),
    max: Type.Optional(count("More than this is refused.")),
  },
  { description: "One thing that is counted: exactly one of number, items and addresses." },
);

const AmountSchema = object(
  {
    at: place("The field that holds the amount."),
    unit: oneOf(["minor", "decimal"], "minor: cents (or yen); decimal: 10.50."),
    currency: text(
      "An ISO code like usd, or the field that holds one (/currency, or the name of a form field in brackets: [currency]).",
      "a currency like usd, a JSON pointer like /currency, or a form field in brackets like [currency]",
      `^([a-z]{3}|${POINTER}|\\[[^\\]]+\\])$`,
    ),
  },
  { description: "The call moves an amount that its request names." },
);

const PriceSchema = object(
  {
    usd: Type.Optional(usd("Dollars for one unit; without count for one call.")),
    per: Type.Optional(count("How many units usd buys. Default: 1.")),
    name: Type.Optional(
      text("The name by which `prices` in keybrake.yaml overrides usd. Default: the vendor, a dot and the operation."),
    ),
    each: Type.Optional(
      pointer('The list in a JSON body that is gone through: count and amount are then of one entry. "" is the body.'),
    ),
    each_max: Type.Optional(count("Longest list that is taken. Default: 10000.")),
    count: Type.Optional(Type.Array(CounterSchema, { description: "What is counted; the units are the sum." })),
    amount: Type.Optional(AmountSchema),
  },
  { description: "The most that a call can cost: usd (for a call, or for what is counted), or amount." },
);

const AnswerSchema = object(
  {
    id: Type.Optional(pointer("The vendor's id of what was made.")),
    units: Type.Optional(pointer("How many units it was in the end.")),
    usd: Type.Optional(pointer("What it did cost, in dollars.")),
    amount: Type.Optional(pointer("The amount that was moved, in the unit and currency of price.amount.")),
  },
  {
    description:
      "What is read from a 2xx answer. A cost that should be there and cannot be read counts as the most that the call could cost.",
  },
);

const ScopeSchema = object(
  {
    customer: Type.Optional(place("The vendor's customer, for `customers` of a policy.")),
    recipients: Type.Optional(
      Type.Array(place("A recipient."), { description: "Recipients beside those that `addresses` counts." }),
    ),
    senders: Type.Optional(Type.Array(place("A sender."), { description: "Senders: numbers or mail addresses." })),
  },
  { description: "Where the call says whom it concerns, so that a policy can limit it." },
);

const ForbiddenSchema = object(
  {
    field: place("The field."),
    reason: text("Why, as a half sentence."),
    unless: Type.Optional(
      Type.Array(text("A value."), { description: "Texts that are taken all the same, exactly as they stand here." }),
    ),
  },
  { description: "A field that refuses the call." },
);

const GraphqlSchema = object(
  {
    mutations: Type.Array(text("A mutation.", "a mutation's name", "^[A-Za-z_][A-Za-z0-9_]*$"), {
      description: "The mutations that are free. Every other one is cost_unknown.",
    }),
    closed_fields: Type.Optional(
      Type.Array(text("A field.", "a field's name", "^[A-Za-z_][A-Za-z0-9_]*$"), {
        description: "Fields that no selection may have: they hand out credentials.",
      }),
    ),
  },
  { description: "The route takes GraphQL: one operation, no aliases, no batch. Queries are free." },
);

export const OperationSchema = object(
  {
    name: text("What it is called: emails.send.", "a name like emails.send", "^[a-z][a-z0-9_.]{0,60}$"),
    route: Type.Union([route, Type.Array(route)], { description: `${ROUTE}. Or a list of such.`, expected: ROUTE }),
    class: oneOf(
      ["free", "priced", "closed", "unknown"],
      "free: moves no money; priced: has a price; closed: only the policy's exact text opens it; unknown: refused, cost_unknown.",
    ),
    reason: Type.Optional(text("Why it is closed or unknown, as a half sentence.")),
    kind: Type.Optional(
      oneOf(
        ["read", "write", ...CAPPED_KINDS],
        "What its money is, for `caps` of a policy. Default: read or write; other for what is priced.",
      ),
    ),
    price: Type.Optional(PriceSchema),
    answer: Type.Optional(AnswerSchema),
    scope: Type.Optional(ScopeSchema),
    forbid: Type.Optional(Type.Array(ForbiddenSchema, { description: "Fields that refuse the call." })),
    mail_headers: Type.Optional(
      place("Custom mail headers, a map or a list of {Name, Value}; one that names recipients refuses the call."),
    ),
    body: Type.Optional(
      Type.Array(oneOf(["json", "form", "multipart", "opaque"], "A body."), {
        description: "Bodies that this operation takes, where they are not the vendor's.",
      }),
    ),
    graphql: Type.Optional(GraphqlSchema),
  },
  { description: "One operation, or a family of them." },
);

export type DeclaredOperation = Static<typeof OperationSchema>;
export type DeclaredPrice = Static<typeof PriceSchema>;
export type DeclaredCounter = Static<typeof CounterSchema>;
export type DeclaredAmount = Static<typeof AmountSchema>;
export type DeclaredAnswer = Static<typeof AnswerSchema>;
export type DeclaredGraphql = Static<typeof GraphqlSchema>;
