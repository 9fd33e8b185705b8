import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseRoute } from "../../src/core/route.ts";
import { type RefusalCode, VERDICTS } from "../../src/core/verdict.ts";
import { VENDORS, vendorForPath, vendorNamed } from "../../src/vendors/index.ts";
import { operationOf } from "../../src/vendors/operations.ts";
import type { OperationClass, Vendor } from "../../src/vendors/vendor.ts";
import { makeAnswer, makeCall, makePricing, operationFor } from "./make-call.ts";
import { MONEY_MOVING } from "./money-moving.ts";

const REFUSALS = Object.keys(VERDICTS).filter((verdict): verdict is RefusalCode => verdict !== "allowed");
const NONE_YET = { free: 0, priced: 0, unknown: 0, closed: 0 } satisfies Record<OperationClass, number>;

/** A call that the route covers: `GET /v1/x/**` → `GET /v1/x/x1/x2`. */
function sampleOf(route: string): string {
  const line = route.replaceAll("**", "x1/x2").replaceAll(/\*(?=[^ ]|$)/g, "x1");
  return line.replace(/^(?:\*|x1) /, "POST ");
}

/** The vendor's published operations, with an id for every `*`. */
function published(vendor: Vendor): string[] {
  const file = new URL(`./fixtures/operations/${vendor.name}.txt`, import.meta.url);
  return readFileSync(file, "utf8").trim().split("\n");
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
    expect(vendorForPath("/v10/charges")).toBeUndefined();
    expect(vendorForPath("/emailsx")).toBeUndefined();
  });
});

describe.each(VENDORS.map((vendor) => [vendor.name, vendor] as const))("%s", (_name, vendor) => {
  test("has https origins without a path, and no credential in them", () => {
    const origins = [
      vendor.origin,
      ...Object.values(vendor.productOrigins),
      ...vendor.pathOrigins.map((each) => each.origin),
    ];
    for (const origin of origins) expect(new URL(origin).origin).toBe(origin);
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

  test("prices every operation that it calls priced, and no other", () => {
    for (const { route, class: opClass, exposure, cost } of vendor.operations) {
      expect([route, exposure !== undefined, cost !== undefined]).toEqual([
        route,
        opClass === "priced",
        opClass === "priced",
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
        const exposure = operation.exposure(call, makePricing());
        expect(exposure.ok || exposure.message.startsWith("Keybrake: ")).toBe(true);
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

  test("writes the secret into the credential, and into nothing else", () => {
    const secret = "sk_test_real_secret";
    const written = vendor.writeCredential({ secret, username: "", accountId: "AC1" });
    const [name, value] = written[0]!;
    expect(name).toBe("authorization");
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
    const answer = vendor.refusal({
      code,
      status,
      message,
      requestId: "req_1",
      details: { cap_usd: "500.00", reset_at: null },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers).toContainEqual(["content-type", "application/json"]);
    const body = JSON.parse(answer.body);
    expect(body.keybrake).toEqual({ code, message, cap_usd: "500.00", reset_at: null, request_id: "req_1" });
    expect((body.error ?? body).message).toBe(message);
    expect(answer.headers.map(([name]) => name)).not.toContain("retry-after");
  });

  test("leaves free nothing that moves or commits money", () => {
    const list = MONEY_MOVING[vendor.name] ?? [];
    expect(list.length).toBeGreaterThan(0);
    const lines = published(vendor);
    for (const line of list) {
      expect([line, lines.includes(line)]).toEqual([line, true]);
      const operation = operationFor(vendor, makeCall(line.replaceAll("*", "x1")));
      expect([line, operation.class]).not.toEqual([line, "free"]);
    }
  });

  test("classes every published operation as counted here", () => {
    const writes = { ...NONE_YET };
    const reads = { ...NONE_YET };
    for (const line of published(vendor)) (line.startsWith("GET ") ? reads : writes)[classOf(vendor, line)] += 1;
    expect({ reads, writes }).toEqual(COUNTS[vendor.name]!);
  });
});

test("the list of what moves money is long enough to mean something", () => {
  expect(Object.values(MONEY_MOVING).flat().length).toBeGreaterThanOrEqual(100);
});

/** A change here is a change of what agents may do without a policy's word: read the operations before the figures. */
const COUNTS: Readonly<Record<string, Record<"reads" | "writes", Record<OperationClass, number>>>> = {
  stripe: {
    reads: { free: 286, priced: 0, unknown: 0, closed: 4 },
    writes: { free: 39, priced: 24, unknown: 275, closed: 22 },
  },
  twilio: {
    reads: { free: 150, priced: 0, unknown: 2, closed: 7 },
    writes: { free: 20, priced: 1, unknown: 107, closed: 35 },
  },
  resend: {
    reads: { free: 41, priced: 0, unknown: 0, closed: 5 },
    writes: { free: 38, priced: 2, unknown: 11, closed: 7 },
  },
};
