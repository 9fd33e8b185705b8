import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../src/core/call.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import { judge } from "../../src/policy/judge.ts";
import { validatePolicy } from "../../src/policy/validate.ts";
import { operationOf } from "../../src/vendors/operations.ts";
import { resend } from "../../src/vendors/resend.ts";
import { type CallParts, makeCall, makePricing, operationFor } from "./make-call.ts";
import { publishedOperations } from "./published.ts";

const EMAIL = { from: "Acme <a@acme.test>", to: "a@example.com", subject: "hi" };

/** Class and kind of every published operation, written down by hand from Resend's reference. */
const EXPECTED: Readonly<Record<string, string>> = {
  "priced email": `
    POST /emails
    POST /emails/batch`,
  "unknown email": `
    PATCH /automations/*
    PATCH /broadcasts/*
    POST /automations
    POST /automations/*/duplicate
    POST /broadcasts
    POST /broadcasts/*/send
    POST /events/send`,
  "unknown other": `
    POST /contacts/imports`,
  "closed read": `
    GET /logs/*`,
  "closed write": `
    DELETE /api-keys/*
    DELETE /oauth/grants/*
    DELETE /webhooks/*
    GET /api-keys
    GET /oauth/grants
    GET /webhooks
    GET /webhooks/*
    PATCH /api-keys/*
    PATCH /webhooks/*
    POST /api-keys
    POST /domains/*/claim/verify
    POST /domains/claim
    POST /emails/*/share
    POST /webhooks`,
  "free read": `
    GET /audiences
    GET /audiences/*
    GET /automations
    GET /automations/*
    GET /automations/*/runs
    GET /automations/*/runs/*
    GET /broadcasts
    GET /broadcasts/*
    GET /broadcasts/*/clicked-links
    GET /broadcasts/*/recipients
    GET /contact-properties
    GET /contact-properties/*
    GET /contacts
    GET /contacts/*
    GET /contacts/*/segments
    GET /contacts/*/topics
    GET /contacts/imports
    GET /contacts/imports/*
    GET /domains
    GET /domains/*
    GET /domains/*/claim
    GET /emails
    GET /emails/*
    GET /emails/*/attachments
    GET /emails/*/attachments/*
    GET /emails/metrics
    GET /emails/receiving
    GET /emails/receiving/*
    GET /emails/receiving/*/attachments
    GET /emails/receiving/*/attachments/*
    GET /events
    GET /events/*
    GET /logs
    GET /segments
    GET /segments/*
    GET /suppressions
    GET /suppressions/*
    GET /templates
    GET /templates/*
    GET /topics
    GET /topics/*`,
  "free write": `
    DELETE /audiences/*
    DELETE /automations/*
    DELETE /broadcasts/*
    DELETE /contact-properties/*
    DELETE /contacts/*
    DELETE /contacts/*/segments/*
    DELETE /domains/*
    DELETE /events/*
    DELETE /segments/*
    DELETE /suppressions/*
    DELETE /templates/*
    DELETE /topics/*
    PATCH /contact-properties/*
    PATCH /contacts/*
    PATCH /contacts/*/topics
    PATCH /domains/*
    PATCH /emails/*
    PATCH /events/*
    PATCH /templates/*
    PATCH /topics/*
    POST /audiences
    POST /automations/*/stop
    POST /broadcasts/*/cancel
    POST /contact-properties
    POST /contacts
    POST /contacts/*/segments/*
    POST /domains
    POST /domains/*/verify
    POST /emails/*/cancel
    POST /events
    POST /segments
    POST /suppressions
    POST /suppressions/batch/add
    POST /suppressions/batch/remove
    POST /templates
    POST /templates/*/duplicate
    POST /templates/*/publish
    POST /topics`,
};

const ROWS = Object.entries(EXPECTED).flatMap(([expected, lines]) =>
  lines
    .trim()
    .split("\n")
    .map((line) => [line.trim(), expected] as const),
);

describe("a published operation", () => {
  test.each(ROWS)("%s is %s", (line, expected) => {
    const { class: opClass, kind } = operationFor(resend, makeCall(line.replaceAll("*", "x1")));
    expect(`${opClass} ${kind}`).toBe(expected);
  });

  test("has a row above, and no row is of an operation that was never published", () => {
    const published = publishedOperations("resend").map(({ line }) => line);
    expect(ROWS.map(([line]) => line).toSorted()).toEqual(published.toSorted());
  });

  test("that is free holds nothing", () => {
    const free = ROWS.filter(([, expected]) => expected.startsWith("free"));
    for (const [line] of free) expect([line, verdictOf(line)]).toEqual([line, "allowed 0 0"]);
  });
});

/** Not in Resend's OpenAPI file of 2026-08, but in resend-node 6.38.0. */
test.each([
  ["GET /usage", "free"],
  ["POST /audiences/*/contacts", "free"],
  ["PATCH /audiences/*/contacts/*", "free"],
  ["DELETE /audiences/*/contacts/*", "free"],
  ["GET /segments/*/contacts", "free"],
  ["PATCH /segments/*", "free"],
  ["POST /webhooks/*/signing-secret/rotate", "closed"],
  ["POST /broadcasts/*/duplicate", "unknown"],
  ["POST /inboxes/*/threads/*/emails/*/reply", "unknown"],
  ["POST /inboxes", "unknown"],
  ["PUT /emails/*", "unknown"],
] as const)("%s, which only the SDK or nobody has, is %s", (line, expected) => {
  const { method, path } = makeCall(line.replaceAll("*", "x1"));
  expect(operationOf(resend, method, path).class).toBe(expected);
});

/** What a key that may do everything is told; `allowed` with ceiling and sends. */
function verdictOf(line: string, parts: CallParts = {}, bodyKind?: "multipart"): string {
  const valid = validatePolicy({ vendor: "resend", allowed_endpoints: ["* /**"], daily_usd_cap: 1 });
  if (!valid.ok) throw new Error(valid.problems.map(({ message }) => message).join("\n"));
  const call = { ...makeCall(line.replaceAll("*", "x1"), parts), ...(bodyKind ? { bodyKind } : {}) };
  const judged = judge(compilePolicy(valid.policy), resend, { accountId: "" }, call, makePricing());
  if (judged.ok) return `allowed ${judged.exposure.micros} ${judged.exposure.sends}`;
  return judged.code === "look_up" ? judged.code : `${judged.code}: ${judged.message}`;
}

describe("an agent is told why", () => {
  test.each([
    [
      "POST /broadcasts",
      { json: { segment_id: "s", send: true } },
      "a segment, whose number of contacts is not in the",
    ],
    ["POST /broadcasts/*/send", {}, "a segment, whose number of contacts is not in the request"],
    ["POST /events/send", { json: { event: "e", email: "a@example.com" } }, "starts automations, which send as many"],
    ["PATCH /automations/*", { json: { status: "enabled" } }, "sends an email for each step and event"],
  ])("%s is cost_unknown", (line, parts, why) => {
    expect(verdictOf(line, parts)).toStartWith("cost_unknown: Keybrake: ");
    expect(verdictOf(line, parts)).toContain(why);
  });

  test("an import of contacts is cost_unknown although its body is a file", () => {
    expect(verdictOf("POST /contacts/imports", {}, "multipart")).toContain("cost_unknown: Keybrake: POST /contacts/im");
  });

  test.each(["POST /emails/*/share", "POST /domains/claim", "POST /api-keys", "GET /webhooks/*", "GET /logs/*"])(
    "%s is closed to a wildcard",
    (line) => expect(verdictOf(line)).toStartWith("endpoint_denied: "),
  );
});

describe("a domain that receives mail, which is billed by the piece", () => {
  const domain = (capabilities: JsonValue) => ({ json: { name: "acme.test", capabilities } });
  test.each([
    ["receiving enabled", domain({ sending: "enabled", receiving: "enabled" })],
    ["receiving something else", domain({ receiving: "yes" })],
    ["receiving null", domain({ receiving: null })],
    ["capabilities that are a list", domain([{ receiving: "enabled" }])],
    ["capabilities that are text", domain("receiving")],
  ])("is refused with %s", (_what, parts) => {
    for (const line of ["POST /domains", "PATCH /domains/*"]) {
      expect(verdictOf(line, parts)).toStartWith("cost_unknown: Keybrake: a domain that receives is billed");
    }
  });

  test.each([
    ["no capabilities", { json: { name: "acme.test" } }],
    ["capabilities null", domain(null)],
    ["sending alone", domain({ sending: "enabled" })],
    ["receiving disabled", domain({ sending: "enabled", receiving: "disabled" })],
  ])("a domain with %s is free", (_what, parts) => {
    for (const line of ["POST /domains", "PATCH /domains/*"]) expect(verdictOf(line, parts)).toBe("allowed 0 0");
  });
});

describe("a scheduled email", () => {
  test("keeps its count when it is moved or cancelled: no answer gives anything back", () => {
    for (const line of ["PATCH /emails/*", "POST /emails/*/cancel"]) {
      expect(verdictOf(line)).toBe("allowed 0 0");
      expect(operationFor(resend, makeCall(line.replaceAll("*", "x1"))).cost).toBeUndefined();
    }
  });
});

describe("an Idempotency-Key", () => {
  const send = (key: string) => ({ json: EMAIL, headers: { "idempotency-key": key } });
  const sendBatch = (key: string) => ({ json: [EMAIL], headers: { "idempotency-key": key } });

  test.each([1, 36, 256])("of %d characters is taken", (length) => {
    expect(verdictOf("POST /emails", send("k".repeat(length)))).toBe("allowed 900 1");
    expect(verdictOf("POST /emails/batch", sendBatch("k".repeat(length)))).toBe("allowed 900 1");
  });

  test.each([0, 257, 300])("of %d characters is refused as Resend refuses it", (length) => {
    const told = `request_rejected: Keybrake: the Idempotency-Key has ${length} characters; Resend takes 1 to 256.`;
    expect(verdictOf("POST /emails", send("k".repeat(length)))).toBe(told);
    expect(verdictOf("POST /emails/batch", sendBatch("k".repeat(length)))).toBe(told);
  });

  test("goes to Resend as the client sent one, and none is made up", () => {
    expect(resend.idempotency).toBe("passed");
  });

  test("that Resend answers with 409 leaves the hold: the first call under it may be under way", () => {
    expect(resend.releasedStatuses).toEqual([429]);
  });

  test("repeats that differ in x-batch-validation are other requests: the header is forwarded and so compared", () => {
    expect(resend.requestHeaders).toEqual(["x-batch-validation"]);
  });
});
