import { describe, expect, test } from "bun:test";
import { endpointsNamed } from "../../src/operate/operation-words.ts";
import { stripeScopes } from "../../src/operate/stripe-scopes.ts";
import { BUILTIN_TEMPLATES } from "../../src/policy/builtin.ts";
import { loadTemplate } from "../../src/policy/load.ts";
import { STRIPE_PERMISSIONS } from "../../src/vendors/stripe/permissions.ts";
import { stripe } from "../../src/vendors/stripe.ts";

const namesFor = (...words: readonly string[]) =>
  stripeScopes(endpointsNamed(stripe, words)).permissions.map(({ permission }) => permission);

test.each<[words: readonly string[], permissions: readonly string[]]>([
  [["payment_intents.create"], ["rak_payment_intent_write"]],
  [["POST /v1/payment_intents/*/confirm"], ["rak_payment_intent_write"]],
  [["GET /v1/payment_intents/*"], ["rak_payment_intent_read"]],
  [["HEAD /v1/customers/*"], ["rak_customer_read"]],
  [["DELETE /v1/customers/*"], ["rak_customer_write"]],
  // Write lets the key read, too: one tick.
  [["GET /v1/charges/*", "refunds.create"], ["rak_charge_write"]],
  [["GET /v1/prices"], ["rak_plan_read"]],
  [["POST /v1/payment_links"], ["rak_payment_links_write"]],
  [["GET /v1/topups"], ["rak_top_up_read"]],
  // The longer path decides.
  [["POST /v1/customers/*/sources"], ["rak_source_write"]],
  [["POST /v1/customers/*/balance_transactions"], ["rak_customer_write"]],
  [["POST /v1/accounts/*/login_links"], ["rak_edit_link_write"]],
  [["POST /v1/subscription_items/*/usage_records"], ["rak_usage_record_write"]],
  // Only one level is there.
  [["GET /v1/events/*"], ["rak_event_read"]],
  [["POST /v1/reporting/report_runs"], ["rak_report_runs_and_report_types_read"]],
])("%j needs %j", (words, permissions) => {
  expect(namesFor(...words)).toEqual([...permissions]);
});

test("a refund agent's template needs one write and two reads", () => {
  const { fields } = loadTemplate(BUILTIN_TEMPLATES.get("refunds.yaml")!, "refunds.yaml");
  const { permissions } = stripeScopes(fields["allowed_endpoints"] as readonly string[]);
  expect(permissions.map(({ permission, blast_radius }) => [permission, blast_radius])).toEqual([
    ["rak_charge_write", "high"],
    ["rak_payment_intent_read", "low"],
    ["rak_customer_read", "low"],
  ]);
});

test("GET /v1/** needs every permission to read, and denied endpoints none", () => {
  const { permissions } = stripeScopes(["GET /v1/**"], ["GET /v1/issuing/**", "GET /v1/files/**"]);
  expect(new Set(permissions.map(({ level }) => level))).toEqual(new Set(["Read"]));
  const names = permissions.map(({ permission }) => permission);
  expect(names.filter((name) => name.startsWith("rak_issuing"))).toEqual([]);
  // The list of files is still open: `**` stands for at least one segment.
  expect(names).toContain("rak_file_read");
  expect(names).not.toContain("rak_account_link_read");
});

describe("the blast radius", () => {
  test.each([
    ["payouts.create", "extreme", ["payout"], false],
    ["transfers.create", "extreme", ["transfer"], false],
    ["POST /v1/webhook_endpoints", "extreme", [], true],
    ["POST /v1/accounts/*", "extreme", [], true],
    ["refunds.create", "high", ["charge", "refund"], false],
    // Of all that the tick opens, not of the one operation that was asked for.
    ["charges.create", "high", ["charge", "refund"], false],
    ["payment_intents.cancel", "high", ["charge"], false],
    ["POST /v1/products", "medium", [], false],
    ["GET /v1/payouts", "low", [], false],
  ] as const)("of %s is %s", (word, radius, moves, access) => {
    const [scope] = stripeScopes(endpointsNamed(stripe, [word])).permissions;
    expect(scope).toMatchObject({ blast_radius: radius, moves: [...moves], gives_access: access });
  });

  test("sorts the worst to the top", () => {
    expect(namesFor("GET /v1/customers", "POST /v1/products", "refunds.create", "payouts.create")).toEqual([
      "rak_payout_write",
      "rak_charge_write",
      "rak_product_write",
      "rak_customer_read",
    ]);
  });
});

test.each([
  [["refunds.create"], ["rak_charge_write"]],
  [["payouts.create"], ["rak_payout_write"]],
  [["POST /v1/webhook_endpoints"], ["rak_webhook_write"]],
  [["POST /v1/accounts"], ["rak_connected_account_write"]],
  [["GET /v1/payouts", "GET /v1/charges"], []],
])("%j is warned of for %j", (words, dangers) => {
  const found = stripeScopes(endpointsNamed(stripe, words)).dangers;
  expect(found.flatMap(({ permissions }) => permissions)).toEqual(dangers);
});

test("an endpoint whose permission nobody names is said to be unmapped, and none is invented", () => {
  const scopes = stripeScopes(["POST /v1/climate/orders", "GET /v1/charges"]);
  expect(scopes.unmapped).toEqual(["POST /v1/climate/orders"]);
  expect(scopes.permissions.map(({ permission }) => permission)).toEqual(["rak_charge_read"]);
});

test("what follows from a path is told apart from what Stripe documents", () => {
  const origins = (route: string) => stripeScopes([route]).permissions.map(({ origin }) => origin);
  expect(origins("GET /v1/charges/*")).toEqual(["documented"]);
  expect(origins("POST /v1/refunds")).toEqual(["derived"]);
  expect(origins("GET /v1/customers/*/tax_ids")).toEqual(["derived"]);
});

test("no two permissions claim one path", () => {
  const paths = STRIPE_PERMISSIONS.flatMap(({ documented, derived }) => [...documented, ...derived]);
  expect(new Set(paths).size).toBe(paths.length);
});

test("a misspelt operation is answered with the nearest", () => {
  expect(() => endpointsNamed(stripe, ["refund.create"])).toThrow(/no operation "refund.create"/);
  expect(() => endpointsNamed(stripe, ["FETCH /v1/charges"])).toThrow(/FETCH/);
});
