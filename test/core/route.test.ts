import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { METHODS, type Method } from "../../src/core/call.ts";
import { matchesRoute, parseRoute } from "../../src/core/route.ts";

const matches = (route: string, method: Method, path: string) => matchesRoute(parseRoute(route), method, path);

/** A route, the paths that it covers, and those that it does not. */
const ROUTES: readonly (readonly [route: string, covers: readonly string[], not: readonly string[]])[] = [
  [
    "POST /v1/charges",
    ["/v1/charges"],
    ["/v1/charges/", "/v1/charge", "/v1/chargess", "/v1/Charges", "/v1/charges/ch_1", "/v1", "/", "", "//v1/charges"],
  ],
  [
    "POST /v1/customers/*",
    ["/v1/customers/cus_1", "/v1/customers/.", "/v1/customers/%2F"],
    ["/v1/customers", "/v1/customers/", "/v1/customers/cus_1/", "/v1/customers/cus_1/sources", "/v1/customers//"],
  ],
  [
    "POST /v1/customers/*/sources",
    ["/v1/customers/cus_1/sources"],
    [
      "/v1/customers//sources",
      "/v1/customers/a/b/sources",
      "/v1/customers/cus_1/source",
      "/v1/customers/cus_1/sources/",
    ],
  ],
  ["POST /v1/**", ["/v1/a", "/v1/a/b/c", "/v1/a/", "/v1/a//b"], ["/v1", "/v1/", "/v2/a", "/v11/a"]],
  ["POST /**", ["/a", "/a/b"], ["/", ""]],
  [
    "POST /2010-04-01/Accounts/*/Messages.json",
    ["/2010-04-01/Accounts/AC1/Messages.json"],
    [
      "/2010-04-01/Accounts/AC1/Messages",
      "/2010-04-01/Accounts/AC1/Messages.jsonx",
      "/2010-04-01/Accounts/AC1/Messages.JSON",
    ],
  ],
  [
    "POST /Messages/*.json",
    ["/Messages/SM1.json", "/Messages/..json", "/Messages/.json.json"],
    ["/Messages/.json", "/Messages/SM1", "/Messages/SM1.jsonx", "/Messages/a/b.json", "/Messages/SM1.json/"],
  ],
  ["POST /SM*", ["/SM1", "/SM1.json"], ["/SM", "/sm1", "/xSM1", "/SM1/x"]],
  ["POST /a*a", ["/aba", "/aaa"], ["/a", "/aa", "/ab", "/ba"]],
  ["POST /ab*ab", ["/abxab", "/ababab"], ["/ab", "/aba", "/abab"]],
];

const REFUSED = [
  "",
  "POST",
  "/v1/charges",
  "POST v1/charges",
  "post /v1/charges",
  "POST  /v1/charges",
  "POST /v1/charges extra",
  "FETCH /v1/charges",
  "CONNECT /v1/charges",
  "POST /",
  "POST //v1",
  "POST /v1/",
  "POST /v1/./a",
  "POST /v1/../a",
  "POST /v1/**/a",
  "POST /v1/a**",
  "POST /v1/***",
  "POST /v1/a*b*c",
  "POST /v1/a?b=c",
  "POST /v1/a#b",
  "POST /v1/a\\b",
  "POST /v1/[a]",
  "POST https://api.stripe.com/v1",
];

const literal = fc
  .array(fc.stringMatching(/^[A-Za-z0-9_~-]{1,8}(\.json)?$/), { minLength: 1, maxLength: 5 })
  .map((segments) => `/${segments.join("/")}`);

describe("a route", () => {
  for (const [route, covers, not] of ROUTES) {
    test(`${route} covers ${covers.join(" ")} and nothing beside`, () => {
      for (const path of covers) expect([path, matches(route, "POST", path)]).toEqual([path, true]);
      for (const path of not) expect([path, matches(route, "POST", path)]).toEqual([path, false]);
    });
  }

  for (const text of REFUSED) {
    test(`is refused as ${JSON.stringify(text)}`, () => {
      expect(() => parseRoute(text)).toThrow(RangeError);
    });
  }

  test("covers its own method only, but GET covers HEAD, and * covers all", () => {
    const covered = (route: string) => METHODS.filter((method) => matches(route, method, "/v1/a"));
    for (const method of METHODS.filter((one) => one !== "GET")) expect(covered(`${method} /v1/a`)).toEqual([method]);
    expect(covered("GET /v1/a")).toEqual(["GET", "HEAD"]);
    expect(covered("* /v1/a")).toEqual([...METHODS]);
  });

  test("without a star covers its own path, and no other", () => {
    fc.assert(
      fc.property(literal, literal, (path, other) => {
        return matches(`PUT ${path}`, "PUT", path) && matches(`PUT ${path}`, "PUT", other) === (path === other);
      }),
    );
  });

  test("with a star for one segment covers every segment there, and never two or none", () => {
    fc.assert(
      fc.property(literal, fc.nat(), literal, (path, at, filler) => {
        const segments = path.slice(1).split("/");
        const index = at % segments.length;
        const starred = `PUT /${segments.with(index, "*").join("/")}`;
        const filled = (text: string) => `/${segments.with(index, text).join("/")}`;
        const one = filler.slice(1).split("/")[0]!;
        return (
          matches(starred, "PUT", filled(one)) &&
          !matches(starred, "PUT", filled(`${one}/${one}`)) &&
          !matches(starred, "PUT", filled(""))
        );
      }),
    );
  });

  test("with ** at its end covers everything below, and not the place itself", () => {
    fc.assert(
      fc.property(literal, literal, (base, below) => {
        const route = `PUT ${base}/**`;
        return (
          matches(route, "PUT", base + below) && !matches(route, "PUT", base) && !matches(route, "PUT", `${base}/`)
        );
      }),
    );
  });

  test("means the same as the regular expression that one would write for it", () => {
    const segment = fc.constantFrom("a", "b", "ab", "a.json", "*", "*.json", "a*", "a*b", "**");
    const piece = fc.constantFrom("a", "b", "ab", "aab", "a.json", ".json", "axb", "");
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 4 }),
        fc.array(piece, { minLength: 1, maxLength: 4 }),
        (pattern, path) => {
          const text = pattern.filter((one, index) => one !== "**" || index === pattern.length - 1);
          if (text.length === 0) return true;
          const expression = text
            .map((one) => (one === "**" ? "[^]+" : one.replace(".", "\\.").replace("*", "[^/]+")))
            .join("/");
          const target = `/${path.join("/")}`;
          return matches(`PUT /${text.join("/")}`, "PUT", target) === new RegExp(`^/${expression}$`).test(target);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
