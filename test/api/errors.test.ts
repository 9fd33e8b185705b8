import { afterEach, beforeEach, expect, test } from "bun:test";
import { Problem, type ProblemCode } from "../../src/core/problem.ts";
import { type Served, serve } from "./served.ts";

let served: Served;

beforeEach(async () => {
  served = await serve();
});
afterEach(() => served.close());

const STATUSES: readonly (readonly [code: ProblemCode, status: number])[] = [
  ["usage", 400],
  ["forbidden", 403],
  ["not_found", 404],
  ["conflict", 409],
  ["invalid", 422],
  ["unavailable", 503],
];

test.each(STATUSES)("a problem of the kind %s is answered %i, in one shape", async (code, status) => {
  Object.assign(served.control, { resolveCall: () => Promise.reject(new Problem(code, "what is wrong", "do this")) });
  const answer = await served.call("POST", "/audit/call_1/resolve", { body: { released: true } });
  expect(answer.status).toBe(status);
  expect(answer.json).toEqual<object>({
    error: { code, message: "what is wrong", hint: "do this" },
    message: "what is wrong",
  });
  expect(served.logged).toEqual([]);
});

test("a defect is logged, and its client sees neither cause nor source", async () => {
  Object.assign(served.control, { listVendors: () => Promise.reject(new Error("secret detail")) });
  const answer = await served.call("GET", "/vendors");
  expect(answer.status).toBe(500);
  expect(answer.text).not.toContain("secret detail");
  expect(answer.text).not.toContain(".ts");
  expect(answer.json.error.code).toBe("internal");
  expect(served.logged).toEqual([{ event: "api_failed", cause: "Error: secret detail" }]);
});

test("no answer may be cached or have its type guessed", async () => {
  for (const path of ["/vendors", "/nope", "/healthz"]) {
    const { headers } = await served.call("GET", path);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  }
});

const BAD_BODIES: readonly (readonly [what: string, body: unknown, problems: readonly object[]])[] = [
  [
    "an unknown field",
    { vendor: "stripe", daily_usd_capp: 5 },
    [{ field: "daily_usd_capp", nearest: "daily_usd_cap" }],
  ],
  ["a rule without its time", { vendor: "stripe", auto_revoke: { cap_hits: 10 } }, [{ field: "auto_revoke" }]],
  [
    "several at once",
    { vendor: "stripe", expires_in: "soon", unique_label: "yes", metadata: { a: 1 } },
    [
      { field: "unique_label", allowed: "true or false", got: '"yes"' },
      { field: "metadata.a", allowed: "text", got: "1" },
      { field: "expires_in", got: '"soon"' },
    ],
  ],
  ["an amount that is none", { vendor: "stripe", daily_usd_cap: "-5" }, [{ field: "daily_usd_cap", got: '"-5"' }]],
  ["a negative number", { vendor: "stripe", daily_usd_cap: -5 }, [{ field: "daily_usd_cap", got: "-5" }]],
  ["a float count", { vendor: "stripe", daily_send_cap: 1.5 }, [{ field: "daily_send_cap", got: "1.5" }]],
  [
    "an endpoint that is none",
    { vendor: "stripe", allowed_endpoints: ["charges"] },
    [{ field: "allowed_endpoints.0", got: '"charges"' }],
  ],
  [
    "a rule's misspelt word",
    { vendor: "stripe", parameters: { currency: { inn: ["usd"] } } },
    [{ field: "parameters.currency.inn", nearest: "in" }],
  ],
  [
    "a misspelt kind, and a cap that is none",
    { vendor: "stripe", caps: { refnd: { daily_usd: 5 }, payout: { daily_usd: -1 } } },
    [
      { field: "caps.refnd", nearest: "refund" },
      { field: "caps.payout.daily_usd", got: "-1" },
    ],
  ],
  [
    "a cap in no currency",
    { vendor: "stripe", daily_cap: { amount: 5, currency: "euros" } },
    [{ field: "daily_cap.currency", got: '"euros"' }],
  ],
  ["null", { vendor: "stripe", label: null }, [{ field: "label", allowed: "text", got: "nothing" }]],
  ["a list", [1], [{ field: "body", allowed: "a JSON object" }]],
  ["a text", '"x"', [{ field: "body", allowed: "a JSON object" }]],
  ["a prototype", '{"vendor":"stripe","__proto__":{"daily_usd_cap":1}}', [{ field: "__proto__" }]],
];

test.each(BAD_BODIES)(
  "%s in a body is named with what is allowed and what was given",
  async (_what, body, problems) => {
    const answer = await served.call("POST", "/vault/keys", { body });
    expect(answer.status).toBe(422);
    expect(answer.json.error.problems).toHaveLength(problems.length);
    for (const problem of problems) {
      expect(answer.json.error.problems).toContainEqual(expect.objectContaining(problem));
    }
    for (const { message } of answer.json.error.problems) expect(answer.json.message).toContain(message);
  },
);

test("a body that is no JSON is 400, and is not repeated", async () => {
  for (const body of ['{"secret": "sk_test_real_secret"', "", "{} {}"]) {
    const answer = await served.call("PUT", "/vendors/stripe/secret", { body });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain("real_secret");
  }
});

test("a misspelt filter is refused: it must not show everything", async () => {
  const answer = await served.call("GET", "/audit?label_contain=tenant:acme");
  expect(answer.status).toBe(422);
  expect(answer.json.error.problems).toEqual([
    expect.objectContaining({ field: "label_contain", nearest: "label_contains" }),
  ]);
  for (const path of [
    "/vault/keys?limit=-1",
    "/vault/keys?active=1",
    "/audit?limit=1e3",
    "/audit?run=",
    "/vendors?x=1",
  ]) {
    expect((await served.call("GET", path)).status).toBe(422);
  }
});
