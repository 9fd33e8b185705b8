import { expect, test } from "bun:test";
import { LATER_FIELDS, POLICY_FIELD_NAMES, POLICY_FIELDS, PolicySchema } from "../../src/policy/schema.ts";

const KINDS = ["usd", "count", "duration", "list", "text", "money", "caps", "unknown_cost", "auto_revoke", "rules"];

test("every field has a kind, a description and, but for parameters, its flag", () => {
  for (const { name, kind, description, cliFlag } of POLICY_FIELDS) {
    expect(description).toMatch(/^[A-Z].{10,}\.?$/s);
    expect(KINDS).toContain(kind);
    if (name === "parameters") expect(cliFlag).toBeUndefined();
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
  expect(json).toMatchObject({ type: "object", required: ["vendor"], additionalProperties: false });
  expect(json.properties.daily_usd_cap).toMatchObject({
    "x-kind": "usd",
    anyOf: [{ type: "number" }, { type: "string" }],
  });
});

test("no later field is a present one", () => {
  for (const name of LATER_FIELDS.keys()) expect(POLICY_FIELD_NAMES.has(name)).toBe(false);
});
