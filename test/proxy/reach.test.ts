import { describe, expect, test } from "bun:test";
import { Reach } from "../../src/proxy/reach.ts";
import { handClock } from "../harness/plane.ts";

const reach = (addresses: readonly string[] | Error) =>
  new Reach(handClock(), async () => {
    if (addresses instanceof Error) throw addresses;
    return addresses;
  });

describe("a vendor's host", () => {
  const cases = [
    ["a public address", ["3.18.12.63"], true],
    ["loopback", ["127.0.0.1"], false],
    ["a public address and a private one", ["3.18.12.63", "10.0.0.5"], false],
    ["the metadata service", ["169.254.169.254"], false],
    ["loopback in IPv6's clothes", ["::ffff:127.0.0.1"], false],
  ] as const;
  for (const [what, addresses, allowed] of cases) {
    test(`that resolves to ${what} is ${allowed ? "reached" : "not reached"}`, async () => {
      expect(await reach(addresses).isPublic("https://api.stripe.com/v1/charges")).toBe(allowed);
    });
  }

  test("that does not resolve is left to fetch, which says so", async () => {
    expect(await reach(new Error("ENOTFOUND")).isPublic("https://api.stripe.com/")).toBe(true);
  });

  test("that is written as a private address is not reached, without asking a resolver", async () => {
    expect(await reach(["3.18.12.63"]).isPublic("http://192.168.1.1:8080/")).toBe(false);
    expect(await reach(["3.18.12.63"]).isPublic("https://[::1]/")).toBe(false);
  });
});
