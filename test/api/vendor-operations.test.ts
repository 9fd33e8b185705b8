import { afterEach, beforeEach, expect, test } from "bun:test";
import { vendorOperations } from "../../src/operate/vendor-operations.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { type Served, serve } from "./served.ts";

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served.close());

test("a vendor's operations are what the command line prints, for every role", async () => {
  for (const token of Object.values(served.tokens)) {
    const { status, json } = await served.call("GET", "/vendors/resend/operations", { token });
    expect(status).toBe(200);
    expect<unknown>(json).toEqual({ operations: vendorOperations(VENDORS, "resend") });
  }
});

test("of a vendor that there is not they are 404", async () => {
  expect((await served.call("GET", "/vendors/strip/operations")).status).toBe(404);
});
