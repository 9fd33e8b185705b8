import { expect, test } from "bun:test";
import { fillTemplate, loadTemplate } from "../../src/policy/load.ts";
import { rulePath, rulePlace } from "../../src/policy/rule-place.ts";

const TEXT = `vendor: stripe
inputs:
  more: { default: any }
  id: {}
daily_usd_cap: 5
caps:
  refund: { total_usd: 3 }
denied_endpoints: GET /v1/a, GET /v1/b
allowed_endpoints:
  - \${more}
  - GET /v1/customers/\${id}
  - GET /v1/customers/\${id}
  - POST /v1/charges
parameters:
  currency:
    in: [usd]
`;

const template = loadTemplate(TEXT, "own.yaml");

test.each([
  ["daily_usd_cap", 5],
  ["caps.refund.total_usd", 7],
  ["denied_endpoints[1]", 8],
  ["allowed_endpoints", 9],
  ["parameters.currency.in", 16],
  ["allowed_currencies", undefined],
  ["vendor", undefined],
  ["closed", undefined],
  ["brake brk_1", undefined],
])("%s stands in line %p", (rule, line) => {
  expect(rulePlace(template, fillTemplate(template, { id: "cus_1" }), rule, "stripe")?.line).toBe(line as number);
});

test("an entry is found where it was written, whatever the inputs before it became", () => {
  const lines = (inputs: Readonly<Record<string, string>>) => {
    const policy = fillTemplate(template, { id: "cus_1", ...inputs });
    const endpoints = policy["allowed_endpoints"] as readonly string[];
    return endpoints.map((_, index) => rulePlace(template, policy, `allowed_endpoints[${index}]`, "stripe")?.line);
  };
  expect(lines({})).toEqual([11, 13]);
  expect(lines({ more: "GET /v1/a,GET /v1/b" })).toEqual([10, 10, 11, 13]);
});

test("what is no rule of a policy has no path", () => {
  expect(rulePath("parameters.metadata[a.b].matches")).toEqual(["parameters", "metadata[a.b]", "matches"]);
  expect([rulePath("look_up"), rulePath("body_kind"), rulePath("concurrent_calls")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
