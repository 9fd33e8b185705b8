import { expect, test } from "bun:test";
import { POLICY_FIELDS, PolicySchema, VENDOR_FIELD_NAMES } from "../../src/policy/schema.ts";

const KINDS = [
  "usd",
  "count",
  "duration",
  "list",
  "text",
  "money",
  "caps",
  "vendor_usd",
  "unknown_cost",
  "auto_revoke",
  "rules",
  "vendors",
];

test("every field has a kind, a description and, but for maps of maps, its flag", () => {
  for (const { name, kind, description, cliFlag } of POLICY_FIELDS) {
    expect(description).toMatch(/^[A-Z].{10,}\.?$/s);
    expect(KINDS).toContain(kind);
    if (name === "parameters" || name === "vendors") expect(cliFlag).toBeUndefined();
    else expect(cliFlag).toStartWith(`--${name.replaceAll("_", "-")} <`);
  }
  expect(POLICY_FIELDS.map(({ name }) => name)).toEqual(Object.keys(PolicySchema.properties) as never);
});

test("derives the flags that are documented", () => {
  const flags = new Map(POLICY_FIELDS.map(({ name, cliFlag }) => [name, cliFlag]));
  expect(flags.get("daily_usd_cap")).toBe("--daily-usd-cap <usd>");
  expect(flags.get("customers")).toBe("--customers <a,b>");
  expect(flags.get("expires_in")).toBe("--expires-in <duration>");
  expect(flags.get("dedup_window")).toBe("--dedup-window <duration>");
  expect(flags.get("caps")).toBe("--caps <kind.daily_usd=usd>");
  expect(flags.get("auto_revoke")).toBe("--auto-revoke <cap_hits=10/1h>");
  expect(flags.get("on_unknown_cost")).toBe("--on-unknown-cost <deny|allow|reserve_usd=5>");
  expect(flags.get("daily_cap")).toBe("--daily-cap <500eur>");
  expect(flags.get("idempotency")).toStartWith("--idempotency <");
});

test("is plain JSON Schema, so that OpenAPI can carry it", () => {
  const json = JSON.parse(JSON.stringify(PolicySchema));
  expect(json).toMatchObject({ type: "object", additionalProperties: false });
  // vendor or vendors: which of them, a policy's own reader says better than a schema can.
  expect(json.required).toBeUndefined();
  expect(json.properties.daily_usd_cap).toMatchObject({
    "x-kind": "usd",
    anyOf: [{ type: "number" }, { type: "string" }],
  });
});

test("a vendor among several has the fields that are not the key's as a whole", () => {
  const [own] = Object.values(PolicySchema.properties.vendors.patternProperties);
  const names = Object.keys(own!.properties);
  expect(names).toEqual([...VENDOR_FIELD_NAMES]);
  expect(names).toContain("daily_usd_cap");
  for (const { name, place } of POLICY_FIELDS) {
    expect(VENDOR_FIELD_NAMES.has(name)).toBe(place !== "key" && place !== "several");
  }
});
