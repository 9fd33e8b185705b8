import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Problem } from "../../src/core/problem.ts";
import { fillTemplate, type InputValues, loadTemplate, templateInputs } from "../../src/policy/load.ts";

const TEMPLATE = `
vendor: stripe
description: For \${who}
inputs:
  customers: { description: who pays, default: any }
  who: { default: everybody }
  cap:
daily_usd_cap: \${cap}
allowed_endpoints:
  - GET /v1/customers/\${one}
parameters:
  customer: { in: \${customers} }
  order: { matches: "\${who}_[0-9]+" }
  note: { prefix_in: ["\${who}-", x] }
`;

function filled(inputs: InputValues, text = TEMPLATE) {
  return fillTemplate(loadTemplate(text, "t.yaml"), inputs);
}

describe("loadTemplate", () => {
  test("lists the inputs, declared or not, with description and default", () => {
    expect(templateInputs(loadTemplate(TEMPLATE, "t.yaml"))).toEqual([
      { name: "customers", description: "who pays", default: { kind: "any" } },
      { name: "who", description: undefined, default: { kind: "value", value: "everybody" } },
      { name: "cap", description: undefined, default: { kind: "required" } },
      { name: "one", description: undefined, default: { kind: "required" } },
    ]);
  });

  test("keeps numbers as they are written: no float, no lost zero, no lost plus", () => {
    const policy = filled(
      {},
      "vendor: twilio\ndaily_usd_cap: 0.1\ntotal_usd_cap: 999999999999.000001\nto_prefixes: [+1]\nparameters: { a: { in: [007, 1e3, yes] } }",
    );
    expect(policy).toMatchObject({
      daily_usd_cap: "0.10",
      total_usd_cap: "999999999999.000001",
      to_prefixes: ["+1"],
      parameters: { a: { in: ["007", "1e3", "yes"] } },
    });
  });

  test.each([
    ["a duplicate key", "vendor: stripe\nvendor: twilio", "t.yaml:2:1: Map keys must be unique"],
    ["an alias", "vendor: &v stripe\ndescription: *v", "t.yaml:1:12: anchors (&) and aliases (*) are not taken"],
    ["a merge key", "vendor: stripe\n<<: { daily_usd_cap: 5 }", 't.yaml:2:1: "<<" is not a field'],
    ["a tag", "vendor: !!binary c3RyaXBl", "t.yaml:1:18: tags like"],
    ["a second document", "vendor: stripe\n---\nvendor: twilio", "t.yaml:2:1: "],
    ["YAML 1.1", "%YAML 1.1\n---\nvendor: stripe", "YAML 1.1; templates are YAML 1.2"],
    ["an unclosed list", "vendor: stripe\ncustomers: [a", "t.yaml:2:14: "],
    ["nothing", "", "a template is a map"],
    ["a deep nest", `a: ${"[".repeat(50_000)}`, "t.yaml:1:"],
    ["an input as a key", `vendor: stripe\n\${x}: 5`, "inputs can only fill values"],
    ["an input as vendor", `vendor: \${v}`, "vendor cannot be an input"],
    ["a shell default", `vendor: stripe\ndescription: '\${c:-x}'`, "names no input"],
    [
      "a wrong field beside an input",
      `vendor: stripe\ncustomers: \${c}\ndaily_usd_cap: -1`,
      "t.yaml:3:16: daily_usd_cap must be dollars",
    ],
    [
      "an unknown key of an input",
      `vendor: stripe\ninputs: { c: { defualt: any } }\ncustomers: \${c}`,
      "an input has description and default",
    ],
  ])("refuses %s", (_title, text, message) => {
    expect(() => loadTemplate(text, "t.yaml")).toThrow(Problem);
    expect(() => loadTemplate(text, "t.yaml")).toThrow(message as string);
  });

  test.each(["Billing.yaml", "billing.yml", "../billing.yaml", "budgets.yaml", "a_b.yaml"])(
    "refuses the file name %p",
    (name) => {
      expect(() => loadTemplate("vendor: stripe", name)).toThrow("names no template");
    },
  );
});

describe("fillTemplate", () => {
  test("fills whole values and parts of text, and leaves out the rule of an input that may be anything", () => {
    expect(filled({ cap: "5", one: "cus_1" })).toEqual({
      vendor: "stripe",
      description: "For everybody",
      daily_usd_cap: "5.00",
      allowed_endpoints: ["GET /v1/customers/cus_1"],
      parameters: { order: { matches: "everybody_[0-9]+" }, note: { prefix_in: ["everybody-", "x"] } },
    });
  });

  test.each([
    ["text with commas", "cus_1, cus_2"],
    ["a list", ["cus_1", "cus_2"]],
  ])("fills a list from %s", (_title, customers) => {
    const policy = filled({ cap: "5", one: "x", customers });
    expect(policy["parameters"]).toMatchObject({ customer: { in: ["cus_1", "cus_2"] } });
  });

  test("splices a list into a list", () => {
    const text = `vendor: stripe\ncustomers: [cus_0, '\${more}']`;
    expect(filled({ more: "cus_1,cus_2" }, text)["customers"]).toEqual(["cus_0", "cus_1", "cus_2"]);
  });

  test.each([
    ["a missing input, and how to give it", {}, "needs the input cap", "--set cap=…"],
    ["an empty value", { cap: "", one: "x" }, "the input cap of template t is empty", "--set cap=…"],
    ["an empty list", { cap: "1", one: "x", customers: [] }, "is empty", "--set customers=…"],
    [
      "an unknown input",
      { cap: "1", one: "x", costumers: "a" },
      'no input "costumers"; did you mean customers?',
      undefined,
    ],
    ["a list within text", { cap: "1", one: ["a", "b"] }, "takes one value", "--set one=…"],
    ["a value that does not fit", { cap: "much", one: "x" }, "daily_usd_cap must be dollars", "mend"],
    ["a wildcard in an endpoint", { cap: "1", one: "*" }, "allowed_endpoints[0]", undefined],
    ["a slash in an endpoint", { cap: "1", one: "a/b" }, "allowed_endpoints[0]", undefined],
    ["a comma within text", { cap: "1", one: "a", who: "a,b" }, "without commas", undefined],
    [
      "a value named like a property of Object",
      { cap: "1", one: "a", toString: "x" },
      'no input "toString"',
      undefined,
    ],
  ] as [string, InputValues, string, string | undefined][])("refuses %s", (_title, inputs, message, hint) => {
    try {
      filled(inputs);
      throw new Error("was taken");
    } catch (error) {
      expect(error).toBeInstanceOf(Problem);
      expect((error as Problem).message).toContain(message);
      if (hint !== undefined) expect((error as Problem).hint).toContain(hint);
    }
  });

  test("values are data: whatever they hold, nothing but their own place changes", () => {
    const shape = (policy: Record<string, unknown>) => JSON.stringify({ ...policy, description: 0, parameters: 0 });
    const plain = shape(filled({ cap: "5", one: "x" }));
    const hostile = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom(
        `\${cap}`,
        "*",
        "**",
        ".*",
        "a: 1\nb: 2",
        "{ x: 1 }",
        "!!js x",
        "*alias",
        "&a",
        "x]",
        "a)|(b",
        "\\",
        "|",
        "[a",
        "# x",
      ),
    );
    fc.assert(
      fc.property(hostile, hostile, (who, customer) => {
        let policy: ReturnType<typeof filled>;
        try {
          policy = filled({ cap: "5", one: "x", who, customers: [customer] });
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
          return;
        }
        const parameters = policy["parameters"] as Record<string, Record<string, unknown>>;
        expect(shape(policy)).toBe(plain);
        expect(Object.keys(parameters)).toEqual(["customer", "order", "note"]);
        expect(parameters["customer"]!["in"]).toEqual([customer]);
        expect(parameters["note"]!["prefix_in"]).toEqual([`${who}-`, "x"]);
        const pattern = new RegExp(`^(?:${parameters["order"]!["matches"]})$`, "u");
        expect(pattern.test(`${who}_17`)).toBe(true);
        expect(pattern.test(`${who}x_17`)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
