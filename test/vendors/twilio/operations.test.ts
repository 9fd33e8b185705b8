import { describe, expect, test } from "bun:test";
import { twilio } from "../../../src/vendors/twilio.ts";
import { makeCall, operationFor } from "../make-call.ts";
import { publishedOperations } from "../published.ts";

const ROOT = `/2010-04-01/Accounts/AC${"0".repeat(32)}`;

/** By hand from Twilio's reference: what hands out credentials, and what nobody can price. Every other line costs or is free. */
const SHUT: Readonly<Record<string, readonly RegExp[]>> = {
  closed: [
    /\/Accounts(?:\/\*)?\.json$/,
    /\/(?:Keys|SigningKeys|Tokens)(?:\/\*)?\.json$/,
    /\/AccessTokens/,
    /^(?:POST|DELETE) .*\/(?:ConnectApps|SIP)\//,
    /^(?:POST|DELETE) .*\/Usage\/Triggers\/\*/,
    /^(?:PUT|DELETE) .*\/lookups\/v2\/RateLimits\//,
    /^DELETE .*\/IncomingPhoneNumbers\/\*\.json$/,
  ],
  unknown: [
    /\/Payments/,
    /^POST .*\/OutgoingCallerIds\.json$/,
    /^POST .*\/UserDefinedMessage/,
    /^POST .*\/AssignedAddOns\.json$/,
  ],
};

describe("every operation that Twilio has published", () => {
  const all = publishedOperations("twilio").map(({ line, method, path }) => ({
    line,
    found: operationFor(twilio, makeCall(`${method} ${path}`)),
  }));

  test("is listed", () => {
    expect(all.length).toBe(322);
    expect(all.filter(({ found }) => found.name === "unlisted").map(({ line }) => line)).toEqual([]);
  });

  test.each(["closed", "unknown"] as const)("is %s where it has to be, and nowhere else", (opClass) => {
    const wanted = all.filter(({ line }) => SHUT[opClass]!.some((pattern) => pattern.test(line)));
    const given = all.filter(({ found }) => found.class === opClass);
    expect(given.map(({ line }) => line)).toEqual(wanted.map(({ line }) => line));
  });

  test("is free as a read, but for Lookup's", () => {
    const dear = all.filter(({ line, found }) => line.startsWith("GET ") && found.class === "priced");
    expect(dear.map(({ line }) => line)).toEqual([
      "GET /lookups/v2/PhoneNumbers/*",
      "GET /lookups/v2/PhoneNumbers/*/Overrides/*",
    ]);
  });

  test.each([
    `POST ${ROOT}/Calls`,
    `POST ${ROOT}/Calls.csv`,
    `POST ${ROOT}/Messages`,
    `POST ${ROOT}/IncomingPhoneNumbers`,
    "GET /lookups/v1/PhoneNumbers/+14155550100",
    "POST /studio/v2/Flows/FW1/Executions",
    "POST /wireless/v1/Commands",
    "POST /conversations/v1/Conversations/CH1/Messages",
  ])("and no other: %s is refused", (line) => {
    expect(operationFor(twilio, makeCall(line))).toMatchObject({ class: "unknown" });
  });

  test.each([
    "GET /iam/v1/ApiKeys",
    "POST /iam/v1/Keys",
    "POST /accounts/v1/AuthTokens/Promote",
    "POST /oauth/v2/token",
    "GET /serverless/v1/Services/ZS1/Environments/ZE1/Variables",
    "GET /serverless/v1/Services/ZS1/Environments/ZE1/Variables/ZV1",
    "POST /flex-api/v1/Insights/Session",
    "POST /conversations/v1/Credentials",
    "POST /chat/v2/Credentials/CR1",
    "POST /voice/v1/DialingPermissions/BulkCountryUpdates",
    `POST ${ROOT}/SIP/CredentialLists.json`,
  ])("keeps %s closed", (line) => {
    expect(operationFor(twilio, makeCall(line))).toMatchObject({ class: "closed" });
  });
});
