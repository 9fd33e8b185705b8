import { expect, test } from "bun:test";
import { changedFields, splitChange } from "../../src/policy/change.ts";

test("a change is split into what it gives and what it takes away, within vendors too", () => {
  const change = {
    daily_usd_cap_total: null,
    expires_in: "1h",
    nonsense: null,
    vendors: { stripe: { customers: null, daily_usd_cap: 5, nonsense: null }, twilio: null },
  };
  expect(splitChange(change)).toEqual({
    given: {
      expires_in: "1h",
      nonsense: null,
      vendors: { stripe: { daily_usd_cap: 5, nonsense: null }, twilio: null },
    },
    removed: [["daily_usd_cap_total"], ["vendors", "stripe", "customers"]],
  });
});

test("fields are replaced one by one, and what a change does not name stays", () => {
  const policy = {
    vendors: { stripe: { customers: ["cus_1"], daily_usd_cap: "9.00" }, twilio: { customers: ["cus_1"] } },
    total_usd_cap: "90.00",
  };
  const { given, removed } = splitChange({
    total_usd_cap: null,
    daily_usd_cap_total: "5.00",
    vendors: { stripe: { customers: null, daily_send_cap: 3 } },
  });
  expect(changedFields(policy, given, removed)).toEqual({
    vendors: { stripe: { daily_usd_cap: "9.00", daily_send_cap: 3 }, twilio: { customers: ["cus_1"] } },
    daily_usd_cap_total: "5.00",
  });
  expect(
    changedFields({ vendor: "stripe", daily_usd_cap: "9.00" }, { total_usd_cap: "8.00" }, [["daily_usd_cap"]]),
  ).toEqual({
    vendor: "stripe",
    total_usd_cap: "8.00",
  });
});
