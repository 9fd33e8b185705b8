import { expect, test } from "bun:test";
import { formOptions } from "../../../src/proxy/parse/form.ts";
import { parseQuery, rejectSharedFields } from "../../../src/proxy/parse/query.ts";
import { accepted, refusal } from "./verdicts.ts";

const OPTIONS = formOptions(new Set());

test("reads a query by the rules of a form", () => {
  expect(accepted(parseQuery("", OPTIONS))).toEqual(new Map());
  expect(accepted(parseQuery("DateSent%3E=1970-01-01T00%3A00%3A00Z&PageSize=2", OPTIONS))).toEqual(
    new Map([
      ["DateSent>", "1970-01-01T00:00:00Z"],
      ["PageSize", "2"],
    ]),
  );
  refusal(parseQuery("amount=1&amount=2", OPTIONS));
});

test.each([
  ["amount", "amount"],
  ["amount", "Amount"],
  ["amount", "amount[value]"],
  ["expand[0]", "expand[1]"],
  ["amount[0]", "amount"],
])("refuses the query field %j beside the body field %j", (inQuery, inBody) => {
  refusal(
    rejectSharedFields(
      new Map([[inQuery, "1"]]),
      new Map([
        ["currency", "usd"],
        [inBody, "2"],
      ]),
    ),
  );
});

test("takes different fields in query and body", () => {
  expect(accepted(rejectSharedFields(new Map([["limit", "1"]]), new Map([["amount", "1"]])))).toBe(true);
  expect(accepted(rejectSharedFields(new Map(), new Map([["amount", "1"]])))).toBe(true);
});
