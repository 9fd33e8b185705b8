import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { isControlPath } from "../../../src/api/routes.ts";
import { readYaml } from "../../../src/core/yaml-data.ts";
import { nameProblem } from "../../../src/vendors/declared/name.ts";
import { readDeclarations } from "../../../src/vendors/declared/read.ts";
import { shippedVendors } from "../../../src/vendors/declared/shipped.ts";
import { CODED_VENDORS, vendorNamed } from "../../../src/vendors/index.ts";
import type { OperationClass, Vendor } from "../../../src/vendors/vendor.ts";
import { type CallParts, costOf, exposureOf, makeAnswer, makeCall, makePricing, operationFor } from "../make-call.ts";

const SHIPPED = ["postmark", "sendgrid", "segment", "shopify"] as const;
type Name = (typeof SHIPPED)[number];

function textOf(name: Name): string {
  return readFileSync(new URL(`../../../src/vendors/declared/${name}.yaml`, import.meta.url), "utf8");
}

describe.each(SHIPPED)("%s.yaml", (name) => {
  test("has nothing to mend", () => {
    const { vendors, problems } = readDeclarations(textOf(name), CODED_VENDORS);
    expect(problems).toEqual([]);
    expect(vendors.map((vendor) => vendor.name)).toEqual([name]);
  });

  test("is in the binary as it is written: no number was spelt otherwise", () => {
    const { data } = readYaml(textOf(name));
    const built: unknown = Bun.YAML.parse(textOf(name));
    const asText = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value), (_key, each: unknown) => (typeof each === "number" ? String(each) : each));
    expect(asText(built)).toEqual(data);
    const told = (vendors: readonly Vendor[]) =>
      vendors.flatMap((vendor) =>
        vendor.operations.map(({ route, kind, counts }) => [vendor.name, route, kind, counts]),
      );
    const read = readDeclarations(textOf(name), CODED_VENDORS).vendors;
    expect(told(shippedVendors().filter((vendor) => vendor.name === name))).toEqual(told(read));
  });
});

const LIST = Array.from({ length: 3 }, (_, index) => ({ type: "track", event: "e", userId: `u${index}` }));
const MAIL = { From: "me@acme.example", To: "a@x.example, B <b@x.example>", Subject: "s" };
const sendgridMail = (...personalizations: CallParts["json"][]) => ({
  json: { from: { email: "me@acme.example" }, personalizations: personalizations as never },
});

/** Vendor, call, its ceiling in micro-dollars, sends. From the vendors' own examples, counted by hand. */
const PRICED: readonly (readonly [name: Name, line: string, parts: CallParts, micros: bigint, sends: number])[] = [
  ["postmark", "POST /email", { json: { ...MAIL, Cc: "c@x.example", Bcc: null } }, 5_400n, 3],
  ["postmark", "POST /email", { json: { From: "me@acme.example", Bcc: "a@x.example" } }, 1_800n, 1],
  ["postmark", "POST /email/withTemplate", { json: { ...MAIL, TemplateId: 1, TemplateModel: {} } }, 3_600n, 2],
  ["postmark", "POST /email/batch", { json: [MAIL, { ...MAIL, To: "d@x.example" }] }, 5_400n, 3],
  ["postmark", "POST /email/batchWithTemplates", { json: { Messages: [MAIL] } }, 3_600n, 2],
  ["postmark", "POST /email/bulk", { json: { From: "me@acme.example", Messages: [{ To: "a@x.example" }] } }, 1_800n, 1],
  ["sendgrid", "POST /v3/mail/send", sendgridMail({ to: [{ email: "a@x.example" }] }), 1_330n, 1],
  [
    "sendgrid",
    "POST /v3/mail/send",
    sendgridMail(
      { to: [{ email: "a@x.example", name: "A" }, { email: "b@x.example" }], cc: [{ email: "c@x.example" }] },
      { to: [{ email: "d@x.example" }], bcc: [{ email: "e@x.example" }] },
    ),
    6_650n,
    5,
  ],
  ["segment", "POST /v1/batch", { json: { batch: LIST, writeKey: "k" } }, 36_000n, 0],
  ["segment", "POST /v1/import", { json: { batch: LIST } }, 36_000n, 0],
  ["segment", "POST /v1/track", { json: { event: "e", userId: "u" } }, 12_000n, 0],
  [
    "shopify",
    "POST /admin/api/2025-10/orders/1/refunds.json",
    { json: { refund: { currency: "USD", transactions: [{ amount: "41.94" }, { amount: 0.06 }] } } },
    42_000_000n,
    0,
  ],
  [
    "shopify",
    "POST /admin/api/2025-10/orders/1/transactions.json",
    { json: { transaction: { currency: "USD", amount: "10.00", kind: "capture" } } },
    10_000_000n,
    0,
  ],
  [
    "shopify",
    "POST /admin/api/2025-10/gift_cards.json",
    { json: { gift_card: { initial_value: 25, currency: "USD" } } },
    25_000_000n,
    0,
  ],
];

test.each(PRICED)("%s: %s is counted in full (%j)", (name, line, parts, micros, sends) => {
  const vendor = vendorNamed(name)!;
  const call = makeCall(line, parts);
  expect(operationFor(vendor, call).refuse?.(call)).toBeUndefined();
  expect(exposureOf(vendor, call)).toMatchObject({ ok: true, micros, sends });
});

const REFUSED: readonly (readonly [name: Name, line: string, parts: CallParts, text: string])[] = [
  ["postmark", "POST /email", { json: { From: "me@acme.example" } }, "count to 0"],
  ["postmark", "POST /email", { json: { ...MAIL, bcc: "x@x.example" } }, "has to be written Bcc"],
  ["postmark", "POST /email", { json: { ...MAIL, Headers: [{ Name: "Bcc", Value: "x@x.example" }] } }, '"Bcc"'],
  ["postmark", "POST /email/batch", { json: [{ ...MAIL, Headers: [{ Name: "to", Value: "x" }] }] }, '"to"'],
  ["postmark", "POST /email/batch", { json: Array.from({ length: 501 }, () => MAIL) }, "501 entries; at most 500"],
  ["postmark", "POST /email/bulk", { json: { Cc: "x@x.example", Messages: [MAIL] } }, "/Cc has to stand in Messages"],
  ["sendgrid", "POST /v3/mail/send", sendgridMail({ cc: [{ email: "a@x.example" }] }), "the field /to"],
  ["sendgrid", "POST /v3/mail/send", sendgridMail({ to: [{ email: "a@x.example,b@x.example" }] }), "/to has"],
  ["sendgrid", "POST /v3/mail/send", { json: { mail_settings: { bcc: { enable: true } } } }, "adds a recipient"],
  ["sendgrid", "POST /v3/mail/send", sendgridMail({ to: [{ email: "a@x.example" }], headers: { Bcc: "x" } }), '"Bcc"'],
  ["segment", "POST /v1/batch", { json: { batch: [] } }, "/batch is empty"],
  ["segment", "POST /v1/batch", { json: { Batch: LIST } }, "has to be written batch"],
  [
    "shopify",
    "POST /admin/api/2025-10/orders/1/refunds.json",
    { json: { refund: { transactions: [{ amount: "1" }] } } },
    "the currency",
  ],
  ["shopify", "POST /admin/api/2025-10/orders/1/refunds.json", { json: { refund: { currency: "USD" } } }, "is missing"],
];

test.each(REFUSED)("%s: %s is refused where something is not counted (%j)", (name, line, parts, text) => {
  const vendor = vendorNamed(name)!;
  const call = makeCall(line, parts);
  const refused = operationFor(vendor, call).refuse?.(call) ?? exposureOf(vendor, call);
  expect(refused).toMatchObject({ ok: false, message: expect.stringContaining(text) });
});

/** What leaves without a price, and what does not leave at all. */
const CLASSES: readonly (readonly [name: Name, line: string, expected: OperationClass])[] = [
  ["postmark", "GET /messages/outbound", "free"],
  ["postmark", "GET /server", "closed"],
  ["postmark", "GET /Server", "unknown"],
  ["postmark", "POST /servers", "closed"],
  ["postmark", "POST /Email", "unknown"],
  ["postmark", "PUT /webhooks/1", "closed"],
  ["sendgrid", "GET /v3/templates", "free"],
  ["sendgrid", "POST /v3/api_keys", "closed"],
  ["sendgrid", "GET /v3/user/credits", "closed"],
  ["sendgrid", "PUT /v3/marketing/contacts", "unknown"],
  ["sendgrid", "PUT /v3/marketing/singlesends/1/schedule", "unknown"],
  ["sendgrid", "POST /v3/mail/sends", "unknown"],
  ["segment", "GET /v1/batch", "unknown"],
  ["shopify", "GET /admin/api/2025-10/products.json", "free"],
  ["shopify", "PUT /admin/api/2025-10/products/1.json", "free"],
  ["shopify", "GET /admin/api/2025-10/graphql.json", "unknown"],
  ["shopify", "GET /admin/api/2025-10/storefront_access_tokens.json", "closed"],
  ["shopify", "POST /admin/oauth/access_token", "closed"],
  ["shopify", "POST /admin/api/2025-10/orders.json", "unknown"],
  ["shopify", "POST /admin/api/2025-10/orders/1/fulfillments.json", "unknown"],
  ["shopify", "POST /admin/api/2025-10/webhooks.json", "closed"],
];

test.each(CLASSES)("%s: %s is %s", (name, line, expected) => {
  expect(operationFor(vendorNamed(name)!, makeCall(line)).class).toBe(expected);
});

test("what was made is known by the vendor's id", () => {
  const id = (name: Name, line: string, parts: CallParts, json: CallParts["json"]) =>
    costOf(vendorNamed(name)!, makeCall(line, parts), makeAnswer(json), makePricing()).vendorTxnId;
  const messageId = "b7bc2f4a-e38e-4336-af7d-e6c392c2f817";
  expect(id("postmark", "POST /email", { json: MAIL }, { MessageID: messageId })).toBe(messageId);
  expect(id("postmark", "POST /email/batch", { json: [MAIL] }, [{ MessageID: messageId }])).toBe(messageId);
  const refund = { json: { refund: { currency: "USD", transactions: [{ amount: "1" }] } } };
  expect(id("shopify", "POST /admin/api/2025-10/orders/1/refunds.json", refund, { refund: { id: 509562969 } })).toBe(
    "509562969",
  );
});

test("an operator's price is that of every operation that shares its name", () => {
  const pricing = makePricing({}, { "postmark.email": 100n, "sendgrid.email": 200n, "segment.event": 1n });
  const micros = (name: Name, line: string, parts: CallParts) =>
    exposureOf(vendorNamed(name)!, makeCall(line, parts), pricing);
  expect(micros("postmark", "POST /email/batch", { json: [MAIL] })).toMatchObject({ micros: 200n });
  expect(micros("sendgrid", "POST /v3/mail/send", sendgridMail({ to: [{ email: "a@x.example" }] }))).toMatchObject({
    micros: 200n,
  });
  expect(micros("segment", "POST /v1/batch", { json: { batch: LIST } })).toMatchObject({ micros: 3n });
});

test("no vendor can be declared under a path of the control plane, or of another vendor", () => {
  const control =
    "vault keys audit spend budgets vendors brake tokens session policies docs healthz readyz metrics".split(" ");
  for (const name of control) expect([name, isControlPath(`/${name}`)]).toEqual([name, true]);
  for (const name of [...control, "v1", "emails", "templates", "admin", "stripe", "Acme", "a_b", "1a", ""]) {
    expect([name, nameProblem(name, [...CODED_VENDORS, ...shippedVendors()])]).toEqual([name, expect.any(String)]);
  }
  expect(nameProblem("acme", CODED_VENDORS)).toBeUndefined();
});
