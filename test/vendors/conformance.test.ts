import { describe, expect, test } from "bun:test";
import { parseRoute } from "../../src/core/route.ts";
import { type RefusalCode, VERDICTS } from "../../src/core/verdict.ts";
import { VENDORS, vendorForPath, vendorNamed } from "../../src/vendors/index.ts";
import { operationOf } from "../../src/vendors/operations.ts";
import type { OperationClass, Vendor } from "../../src/vendors/vendor.ts";
import { declared } from "./declared/declare.ts";
import { makeAnswer, makeCall, makePricing, operationFor } from "./make-call.ts";

const REFUSALS = Object.keys(VERDICTS).filter((verdict): verdict is RefusalCode => verdict !== "allowed");
/** Keybrake's own, and one as an operator declares it. */
const ALL: readonly Vendor[] = [...VENDORS, declared()];
/** Statuses that differ from Keybrake's own: SDKs that repeat every 429 must not be told one for a cap. */
const OWN_STATUSES: Readonly<Record<string, Partial<Record<RefusalCode, number>>>> = {
  segment: { cap_exceeded: 403 },
  shopify: { cap_exceeded: 403 },
};

/** A call that the route covers: `GET /v1/x/**` → `GET /v1/x/x1/x2`. */
function sampleOf(route: string): string {
  const line = route.replaceAll("**", "x1/x2").replaceAll(/\*(?=[^ ]|$)/g, "x1");
  return line.replace(/^(?:\*|x1) /, "POST ");
}

function classOf(vendor: Vendor, line: string): OperationClass {
  return operationFor(vendor, makeCall(line.replaceAll("*", "x1"))).class;
}

describe("the list of vendors", () => {
  test("finds each by its name and by its own paths, and no other", () => {
    for (const vendor of VENDORS) expect(vendorNamed(vendor.name)).toBe(vendor);
    expect(vendorNamed("Stripe")).toBeUndefined();
    expect(vendorForPath("/v1/charges")?.name).toBe("stripe");
    expect(vendorForPath("/oauth/token")?.name).toBe("stripe");
    expect(vendorForPath("/2010-04-01/Accounts.json")?.name).toBe("twilio");
    expect(vendorForPath("/emails")?.name).toBe("resend");
    expect(vendorForPath("/v3/mail/send")?.name).toBe("sendgrid");
    expect(vendorForPath("/admin/api/2025-10/shop.json")?.name).toBe("shopify");
    expect(vendorForPath("/v10/charges")).toBeUndefined();
    expect(vendorForPath("/emailsx")).toBeUndefined();
  });
});

describe.each(ALL.map((vendor) => [vendor.name, vendor] as const))("%s", (_name, vendor) => {
  test("has https origins without a path, and no credential in them", () => {
    const origins = [
      vendor.origin,
      ...Object.values(vendor.productOrigins),
      ...vendor.pathOrigins.map((each) => each.origin),
    ];
    for (const origin of origins.map((each) => each.replaceAll("{account}", "a1")))
      expect(new URL(origin).origin).toBe(origin);
    for (const origin of origins) expect(origin).toStartWith("https://");
  });

  test("has routes that parse, and that the operation they belong to answers for", () => {
    for (const operation of vendor.operations) {
      expect(() => parseRoute(operation.route)).not.toThrow();
      const found = operationFor(vendor, makeCall(sampleOf(operation.route)));
      expect(
        found.class === operation.class || vendor.operations.indexOf(found) < vendor.operations.indexOf(operation),
      ).toBe(true);
    }
  });

  test("prices every operation that it calls priced or look_up, and no other", () => {
    for (const { route, class: opClass, exposure, cost } of vendor.operations) {
      expect([route, exposure !== undefined, cost !== undefined]).toEqual([
        route,
        opClass === "priced" || opClass === "look_up",
        opClass === "priced" || opClass === "look_up",
      ]);
    }
  });

  test("says why for everything that it keeps closed or cannot price", () => {
    for (const { route, class: opClass, reason } of vendor.operations) {
      if (opClass !== "closed" && opClass !== "unknown") continue;
      expect([route, reason ?? ""]).toEqual([route, expect.stringMatching(/^[a-z].{10,}[^.]$/)]);
    }
  });

  test("keeps what it closes before every family that would open it", () => {
    for (const { route, class: opClass } of vendor.operations) {
      if (opClass !== "closed") continue;
      const methods = route.startsWith("* ")
        ? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        : [route.split(" ")[0]];
      const path = sampleOf(route).split(" ")[1];
      for (const method of methods)
        expect([`${method} ${path}`, classOf(vendor, `${method} ${path}`)]).toEqual([`${method} ${path}`, "closed"]);
    }
  });

  test("never throws, whatever a priced call or its answer lacks", () => {
    const odd = [undefined, null, 1, "x", [], {}, { data: 1 }, [null], { id: 1, status: {} }] as const;
    for (const operation of vendor.operations) {
      if (!operation.exposure || !operation.cost) continue;
      for (const json of odd) {
        const call = makeCall(sampleOf(operation.route), json === undefined ? {} : { json });
        const exposure = operation.exposure(call, makePricing(), new Map());
        if (exposure.ok) expect(exposure.micros >= 0n).toBe(true);
        else if (exposure.code === "look_up") expect(exposure.lookUps.length).toBeGreaterThan(0);
        else expect(exposure.message).toStartWith("Keybrake: ");
        operation.refuse?.(call);
        const held = { ok: true, micros: 5n, sends: 1, currency: undefined, source: "request" } as const;
        const cost = operation.cost(call, makeAnswer(json), held, makePricing());
        expect(cost.micros >= 0n).toBe(true);
        vendor.scope(call, { accountId: "" });
      }
    }
  });

  test("knows no operation that is free for a method or path that nobody published", () => {
    for (const line of [
      "POST /",
      "PUT /v3/x",
      "POST /v1/never_heard_of",
      "DELETE /2010-04-01/x",
      "OPTIONS /v1/charges",
      "GET /x",
    ]) {
      const [method, path] = line.split(" ") as ["POST", string];
      expect([line, operationOf(vendor, method, path).class]).toEqual([line, expect.stringMatching(/unknown|closed/)]);
    }
  });

  test("writes the secret into one header, which no client can set", () => {
    const secret = "sk_test_real_secret";
    const written = vendor.writeCredential({ secret, username: "", accountId: "AC1" });
    expect(written).toHaveLength(1);
    const [name, value] = written[0]!;
    expect(["authorization", ...vendor.credentialHeaders]).toContain(name);
    expect(vendor.requestHeaders).not.toContain(name);
    const plain = value.startsWith("Basic ") ? atob(value.slice("Basic ".length)) : value;
    expect(plain).toContain(secret);
  });

  test("forwards no header that could carry another credential or another method", () => {
    for (const name of vendor.requestHeaders) {
      expect(name).toBe(name.toLowerCase());
      expect(name).not.toMatch(/^(authorization|cookie|host|connection|x-forwarded.*|x-http-method.*)$/);
    }
  });

  test("gives an agent its key and base URL, in lines and environment", () => {
    const account = { accountId: `AC${"0".repeat(32)}` };
    for (const text of [
      JSON.stringify(vendor.agentLines(`http://127.0.0.1:7878/${vendor.name}`, "vault_key_x", account)),
      JSON.stringify(vendor.agentEnvironment(`http://127.0.0.1:7878/${vendor.name}`, "vault_key_x", account)),
    ]) {
      expect(text).toMatch(/vault_?key_?x/);
    }
  });

  test.each(REFUSALS)("says %s in its own shape, the message word for word", (code) => {
    const message = 'Keybrake: the daily cap of $500.00 is used up, "reset" at 2026-01-02T00:00:00.000Z.';
    const { status } = VERDICTS[code];
    const own = OWN_STATUSES[vendor.name]?.[code] ?? status;
    const answer = vendor.refusal({
      code,
      status,
      message,
      requestId: "req_1",
      mayRetry: false,
      details: { cap_usd: "500.00", reset_at: null },
    });
    expect(answer.status).toBe(own);
    expect(answer.headers).toContainEqual(["content-type", "application/json"]);
    const body = JSON.parse(answer.body);
    expect(body.keybrake).toEqual({ code, message, cap_usd: "500.00", reset_at: null, request_id: "req_1" });
    const { keybrake: _own, ...shape } = body;
    expect(JSON.stringify(shape)).toContain(JSON.stringify(message));
    expect(answer.headers.map(([name]) => name)).not.toContain("retry-after");
  });
});
