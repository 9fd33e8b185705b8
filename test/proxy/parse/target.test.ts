import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseTarget, splitTarget, splitVendorPrefix } from "../../../src/proxy/parse/target.ts";
import { AMBIGUOUS_TARGETS } from "./corpus.ts";
import { accepted, refusal } from "./verdicts.ts";

const VENDORS: ReadonlySet<string> = new Set(["stripe", "twilio", "resend"]);

describe("accepted targets", () => {
  test.each([
    ["/stripe/v1/charges", "stripe", "/v1/charges", ""],
    ["/stripe//v1/payouts", "stripe", "/v1/payouts", ""],
    ["/resend//emails", "resend", "/emails", ""],
    ["/stripe", "stripe", "/", ""],
    ["/stripe/", "stripe", "/", ""],
    ["/stripe//", "stripe", "/", ""],
    ["/", undefined, "/", ""],
    ["/v1/charges", undefined, "/v1/charges", ""],
    ["/v1/stripe/x", undefined, "/v1/stripe/x", ""],
    ["/Stripe/v1/charges", undefined, "/Stripe/v1/charges", ""],
    ["/stripes/v1/charges", undefined, "/stripes/v1/charges", ""],
    ["/stripe/stripe/v1", "stripe", "/stripe/v1", ""],
    ["/stripe/v1/customers?limit=3&created[gte]=5", "stripe", "/v1/customers", "limit=3&created[gte]=5"],
    [
      "/twilio/2010-04-01/Accounts/AC1/Messages.json?DateSent%3E=1970",
      "twilio",
      "/2010-04-01/Accounts/AC1/Messages.json",
      "DateSent%3E=1970",
    ],
    ["/twilio/verify/v2/PhoneNumbers/+15551234567", "twilio", "/verify/v2/PhoneNumbers/+15551234567", ""],
    ["/twilio/lookups/v2/PhoneNumbers/%2B15551234567", "twilio", "/lookups/v2/PhoneNumbers/%2B15551234567", ""],
    ["/resend/suppressions/a%2Bb%40example.com", "resend", "/suppressions/a%2Bb%40example.com", ""],
    ["/resend/contacts/a+b@example.com", "resend", "/contacts/a+b@example.com", ""],
    ["/stripe/v1/coupons/caf%C3%A9", "stripe", "/v1/coupons/caf%C3%A9", ""],
    ["/stripe/v1/plans/gold:monthly", "stripe", "/v1/plans/gold:monthly", ""],
    ["/stripe/v1/plans/...", "stripe", "/v1/plans/...", ""],
    ["/stripe/v1/.well-known/a..b", "stripe", "/v1/.well-known/a..b", ""],
  ] as const)("reads %j", (target, vendor, path, query) => {
    expect(accepted(parseTarget(target, VENDORS))).toEqual({ vendor, path, query });
  });
});

describe("refused targets", () => {
  test.each([
    ...AMBIGUOUS_TARGETS,
    // Other forms of the target.
    "",
    "*",
    "stripe/v1/charges",
    "http://api.stripe.com/v1/charges",
    "https:/stripe/v1",
    "api.stripe.com:443",
    "\\stripe/v1",
    "?a=1",
    // Empty and dot segments.
    "//",
    "//stripe/v1/charges",
    "//evil.example/v1/charges",
    "/stripe///v1/payouts",
    "/stripe//v1//payouts",
    "/v1//payouts",
    "/stripe/v1/charges/",
    "/stripe/v1/charges//",
    "/stripe/.",
    "/stripe/..",
    "/stripe//..",
    "/stripe/./v1",
    "/../stripe/v1",
    "/stripe/v1/.%2e/x",
    "/stripe/v1/%2E%2E/x",
    "/stripe/v1/charges/..?a=1",
    // Escapes: separators, unreserved characters, lower-case hex, halves, controls.
    "/stripe%2Fv1/charges",
    "/%73tripe/v1/charges",
    "/stripe/v1/charges%3Bx=1",
    "/stripe/v1/a%5Cb",
    "/stripe/v1/a%25b",
    "/stripe/v1/a%20b",
    "/stripe/v1/a%23b",
    "/stripe/v1/a%3Fb",
    "/stripe/v1/a%3Ab%3a",
    "/stripe/v1/a%7Eb",
    "/stripe/v1/a%2Db",
    "/stripe/v1/a%7F",
    "/stripe/v1/a%0D%0AHost:x",
    "/stripe/v1/a%",
    "/stripe/v1/a%4",
    "/stripe/v1/a%4G",
    "/stripe/v1/a%u0040",
    // Not UTF-8, overlong, surrogates, controls, and characters that normalise to others.
    "/stripe/v1/%C3",
    "/stripe/v1/%C0%AE%C0%AE/payouts",
    "/stripe/v1/%E0%80%AF",
    "/stripe/v1/%ED%A0%80",
    "/stripe/v1/%C2%85",
    "/stripe/v1/a%EF%BC%8Fb",
    "/stripe/v1/%EF%BC%8E%EF%BC%8E/payouts",
    "/stripe/v1/%E2%80%A4%E2%80%A4/payouts",
    "/stripe/v1/%E2%80%AEx",
    "/stripe/v1/e%CC%81",
    // Bare characters outside the alphabet.
    "/stripe/v1/a b",
    "/stripe/v1/a\tb",
    "/stripe/v1/é",
    "/stripe/v1/<x>",
    "/stripe/v1/{id}",
    "/stripe/v1/a|b",
    '/stripe/v1/a"b',
    "/stripe/v1/[x]",
    // The query.
    "/stripe/v1/charges?",
    "/stripe/v1/charges?a=1#b",
    "/stripe/v1/charges?a=1?b=2",
    "/stripe/v1/charges?a=b c",
    "/stripe/v1/charges?a='x'",
    '/stripe/v1/charges?a="x"',
    "/stripe/v1/charges?a=1;b=2",
    "/stripe/v1/charges?a=é",
    "/stripe/v1/charges?a=\\",
  ])("refuses %j", (target) => {
    refusal(parseTarget(target, VENDORS));
  });

  test("says what is wrong with a fragment", () => {
    expect(refusal(parseTarget("/stripe/v1/payouts#/v1/charges", VENDORS))).toContain("fragment");
  });

  test("refuses a path over 2 KB and a query over 8 KB, and takes them at the limit", () => {
    accepted(parseTarget(`/stripe/${"a".repeat(2040)}`, VENDORS));
    expect(refusal(parseTarget(`/stripe/${"a".repeat(2041)}`, VENDORS))).toContain("2048");
    accepted(parseTarget(`/stripe/v1?a=${"a".repeat(8190)}`, VENDORS));
    expect(refusal(parseTarget(`/stripe/v1?a=${"a".repeat(8191)}`, VENDORS))).toContain("8192");
  });
});

test("drops only the empty segment right after a vendor's name", () => {
  expect(splitVendorPrefix("/stripe///x", VENDORS)).toEqual({ vendor: "stripe", path: "//x" });
  expect(splitVendorPrefix("//stripe/x", VENDORS)).toEqual({ vendor: undefined, path: "//stripe/x" });
  expect(splitVendorPrefix("/x//stripe", VENDORS)).toEqual({ vendor: undefined, path: "/x//stripe" });
});

test("a target without vendor prefixes is read whole", () => {
  expect(accepted(splitTarget("/stripe/v1?a=b"))).toEqual({ path: "/stripe/v1", query: "a=b" });
  refusal(splitTarget("/stripe//v1"));
});

/** Pieces from which both good and hostile targets come often. */
const PIECES = [
  "/",
  "/",
  "/",
  "v1",
  "charges",
  "a",
  ".",
  "..",
  "%2e",
  "%2E",
  "%2F",
  "%5C",
  "\\",
  "%40",
  "%2B",
  "@",
  "+",
  "~",
  "'",
  "!",
  "*",
  ":",
  "%C3%A9",
  "%c3%a9",
  "%C3",
  "%25",
  ";",
  "//",
  "?",
  "?",
  "=",
  "&",
  "[",
  "]",
  "%20",
  "%3E",
  "#",
  " ",
  "é",
  "\t",
  "|",
  "%",
  "$",
  "(",
  ",",
];

test("a path that is accepted is what fetch sends, byte for byte, and so is its query", () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 }), (pieces) => {
      const result = splitTarget(`/${pieces.join("")}`);
      if (!result.ok) return;
      taken++;
      const { path, query } = result.value;
      const url = new URL(`https://vendor.example${path}${query === "" ? "" : `?${query}`}`);
      expect(url.pathname).toBe(path);
      expect(url.search.slice(1)).toBe(query);
      expect(url.host).toBe("vendor.example");
      // However often a router decodes, no further separator or dot segment appears.
      const decoded = decodeURIComponent(path).normalize("NFKC");
      expect(decoded.split("/").length).toBe(path.split("/").length);
      expect(decoded).not.toMatch(/[%;\\?#\s]|\/\.{1,2}(\/|$)/);
    }),
    { numRuns: 5000 },
  );
  expect(taken).toBeGreaterThan(200);
});
