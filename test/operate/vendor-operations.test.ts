import { describe, expect, test } from "bun:test";
import { vendorOperations } from "../../src/operate/vendor-operations.ts";
import { resend } from "../../src/vendors/resend.ts";
import type { Operation, OperationClass } from "../../src/vendors/vendor.ts";

function shown(opClass: OperationClass, more: Partial<Operation> = {}) {
  const operation: Operation = { name: "things.make", route: "POST /things", class: opClass, kind: "other", ...more };
  const [view] = vendorOperations([{ ...resend, operations: [operation] }], "resend");
  const { name, route, kind, ...told } = view!;
  expect({ name, route, kind }).toEqual({ name: "things.make", route: "POST /things", kind: "other" });
  return told;
}

describe("an operation is shown", () => {
  test("as priced, with what is counted", () => {
    expect(shown("priced", { counts: "the amount" })).toEqual({ class: "priced", code: null, detail: "the amount" });
    expect(shown("priced")).toEqual({ class: "priced", code: null, detail: "what the request says" });
  });

  test("as a look-up, with what is counted", () => {
    expect(shown("look_up", { counts: "what is left" })).toMatchObject({ class: "look-up", detail: "what is left" });
    expect(shown("look_up").detail).toStartWith("what the vendor says");
  });

  test("as free, with nothing more", () => {
    expect(shown("free")).toEqual({ class: "free", code: null, detail: null });
  });

  test("as closed, with the code that the agent gets and the reason", () => {
    const reason = "returns a key";
    expect(shown("closed", { reason })).toEqual({ class: "closed", code: "endpoint_denied", detail: reason });
    expect(shown("unknown", { reason })).toEqual({ class: "closed", code: "cost_unknown", detail: reason });
  });
});

test("a vendor that there is not is named with the nearest", () => {
  expect(() => vendorOperations([resend], "resnd")).toThrow('there is no vendor "resnd"; did you mean resend?');
});
