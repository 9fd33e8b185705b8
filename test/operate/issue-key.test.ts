import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { parseUsd } from "../../src/core/money.ts";
import type { Actor, IssueKeyRequest } from "../../src/operate/control-plane.ts";
import { parseVaultKey } from "../../src/vault/vault-key.ts";
import { ADMIN, AUDITOR, type Installed, install, issuer, problemOf, START_MS } from "./installed.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

const CHARGES = { vendor: "stripe", daily_usd_cap: 500.0, allowed_endpoints: ["POST /v1/payment_intents"] };
const REQUEST: IssueKeyRequest = { policy: CHARGES, expires_in: "2h", agent_run_label: "ray-billing/01" };

test("gives the key once, and keeps only its hash", async () => {
  const issued = await installed.control.issueKey(REQUEST, ADMIN);
  expect(issued).toMatchObject({
    key_id: issued.id,
    token: issued.vault_key,
    vault_key_alphanumeric: issued.vault_key.replaceAll("_", ""),
    vendor: "stripe",
    base_url: "http://127.0.0.1:7878/stripe",
    agent_run_label: "ray-billing/01",
    status: "active",
    created_at: "2026-01-01T00:00:00.000Z",
    expires_at: "2026-01-01T02:00:00.000Z",
    policy: { vendor: "stripe", daily_usd_cap: "500.00", allowed_endpoints: ["POST /v1/payment_intents"] },
  });
  expect(issued.id).toStartWith("vk_");
  const parsed = parseVaultKey(issued.vault_key);
  const stored = await installed.store.findKeyByHash(parsed.ok ? parsed.hash : new Uint8Array());
  expect(stored?.id).toBe(issued.id);
  const shown = JSON.stringify([
    await installed.control.showKey(issued.id, ADMIN),
    await installed.control.listKeys({}, ADMIN),
    stored,
  ]);
  expect(shown).not.toContain(issued.vault_key);
  expect(shown).toContain(issued.hint);
});

test("tells what to change in the agent, with Twilio's stored account", async () => {
  const accountId = `AC${"0".repeat(32)}`;
  const { Secret } = await import("../../src/core/secret.ts");
  await installed.control.setVendor("twilio", { secret: new Secret("real_token"), account_id: accountId });
  const issued = await installed.control.issueKey({ policy: { vendor: "twilio" }, expires_in: 60 }, ADMIN);
  expect(JSON.stringify(issued.agent_lines)).toContain(accountId);
  expect(issued.environment["TWILIO_ACCOUNT_SID"]).toBe(accountId);
  expect(issued.environment["TWILIO_AUTH_TOKEN"]).toBe(issued.vault_key_alphanumeric);
});

test("fills a template and narrows it by the fields beside it", async () => {
  const request = { template: "billing", inputs: { customers: "cus_1,cus_2" }, policy: { daily_usd_cap: "20" } };
  const issued = await installed.control.issueKey(request, ADMIN);
  expect(issued).toMatchObject({
    template: "billing",
    expires_at: "2026-01-01T02:00:00.000Z",
    policy: { daily_usd_cap: "20.00", max_amount_per_call_usd: "120.00", customers: ["cus_1", "cus_2"] },
  });
});

test("expires by the request before the template, and by the template before the server's default", async () => {
  const withDefault = await install({ config: { keyExpiresInMs: 90_000 } });
  const expiry = async (request: IssueKeyRequest) =>
    Date.parse((await withDefault.control.issueKey(request, ADMIN)).expires_at) - START_MS;
  expect(await expiry({ template: "billing", policy: {}, expires_in: "5m" })).toBe(300_000);
  expect(await expiry({ template: "billing", policy: {} })).toBe(7_200_000);
  expect(await expiry({ policy: { ...CHARGES, expires_in: 30 } })).toBe(30_000);
  expect(await expiry({ policy: CHARGES })).toBe(90_000);
  await withDefault.close();
});

test("takes the agent's name from the metadata where it stands there", async () => {
  const metadata = { agent_name: "billing_agent", agent_id: "a1" };
  const issued = await installed.control.issueKey({ ...REQUEST, metadata }, ADMIN);
  expect(issued).toMatchObject({ agent_name: "billing_agent", metadata });
});

const INVALID: readonly (readonly [what: string, request: Partial<IssueKeyRequest>, message: RegExp])[] = [
  ["a key without an end", { policy: CHARGES, expires_in: undefined as never }, /expires_in is missing/],
  ["a key that outlives the maximum", { expires_in: "91d" }, /91d.*at most 90d/],
  ["another duration", { expires_in: "2 weeks" }, /expires_in must be a duration/],
  ["no vendor", { policy: {} }, /vendor is missing/],
  ["another vendor", { policy: { vendor: "strip" } }, /did you mean stripe/],
  ["a misspelt policy field", { policy: { ...CHARGES, dailyusd_cap: 1 } }, /did you mean daily_usd_cap/],
  ["inputs without a template", { inputs: { customers: "cus_1" } }, /no template is named/],
  ["another template", { template: "biling", policy: {} }, /did you mean billing/],
  [
    "another input of a template",
    { template: "billing", policy: {}, inputs: { customer: "c" } },
    /did you mean customers/,
  ],
  ["a field that widens the template", { template: "billing", policy: { daily_usd_cap: 501 } }, /wider/],
  ["a longer life than the template's", { template: "billing", policy: {}, expires_in: "3h" }, /expires_in.*wider/],
  ["another vendor than the template's", { template: "billing", policy: { vendor: "twilio" } }, /vendor.*wider/],
  ["a label with a line break", { agent_run_label: "a\nb" }, /control characters/],
  ["an empty label", { agent_run_label: "" }, /empty/],
  ["a label of 201 characters", { agent_run_label: "x".repeat(201) }, /at most 200.*201/],
  ["an agent's name with an escape", { agent_name: "\u001b[31m" }, /agent_name/],
  [
    "51 entries of metadata",
    { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ""])) },
    /51/,
  ],
  ["a metadata name of 65 characters", { metadata: { ["k".repeat(65)]: "" } }, /1 to 64.*65/],
  ["a metadata value of 501 characters", { metadata: { k: "v".repeat(501) } }, /at most 500.*501/],
  ["metadata that is no text", { metadata: { k: 1 as never } }, /must be text/],
  ["a unique label that is none", { agent_run_label: undefined as never, unique_label: true }, /unique_label needs/],
];

test.each(INVALID)("refuses %s", async (_what, part, message) => {
  const whole = Object.entries({ ...REQUEST, ...part }).filter(([, value]) => value !== undefined);
  const problem = await problemOf(() => installed.control.issueKey(Object.fromEntries(whole) as never, ADMIN));
  expect(problem.code).toBe("invalid");
  expect(problem.message).toMatch(message);
  expect((await installed.control.listKeys({}, ADMIN)).keys).toEqual([]);
});

describe("a unique label", () => {
  test("is refused while an active key has it, and the key is named", async () => {
    const first = await installed.control.issueKey(REQUEST, ADMIN);
    const problem = await problemOf(() => installed.control.issueKey({ ...REQUEST, unique_label: true }, ADMIN));
    expect(problem).toMatchObject({ code: "conflict", keyId: first.id });
  });

  test("is free again once that key is revoked or has expired", async () => {
    const first = await installed.control.issueKey({ ...REQUEST, unique_label: true }, ADMIN);
    await installed.control.revokeKeys({ ids: [first.id] }, ADMIN);
    await installed.control.issueKey({ ...REQUEST, unique_label: true, expires_in: 60 }, ADMIN);
    installed.clock.nowMs += 60_000;
    await installed.control.issueKey({ ...REQUEST, unique_label: true }, ADMIN);
    expect((await installed.control.listKeys({}, ADMIN)).keys).toHaveLength(3);
  });
});

const BOUND = issuer({ templates: ["billing", "email"], maxDailyMicros: parseUsd("100") });

const FORBIDDEN: readonly (readonly [what: string, actor: Actor, request: IssueKeyRequest, message: RegExp])[] = [
  ["an auditor", AUDITOR, REQUEST, /auditor/],
  ["an issuer with templates a policy of its own", BOUND, REQUEST, /without a template.*billing, email/],
  ["an issuer another template", BOUND, { template: "refunds", policy: {} }, /"refunds"/],
  ["an issuer more a day than its ceiling", BOUND, { template: "billing", policy: {} }, /\$500\.00.*\$100\.00/],
  [
    "an issuer a policy without a daily cap where it has a ceiling",
    issuer({ maxDailyMicros: parseUsd("100") }),
    { policy: { vendor: "stripe" }, expires_in: 60 },
    /has none/,
  ],
];

test.each(FORBIDDEN)("refuses %s", async (_what, actor, request, message) => {
  const problem = await problemOf(() => installed.control.issueKey(request, actor));
  expect(problem.code).toBe("forbidden");
  expect(problem.message).toMatch(message);
});

test("an issuer within its template and ceiling gets a key that is its own", async () => {
  const issued = await installed.control.issueKey({ template: "billing", policy: { daily_usd_cap: 100 } }, BOUND);
  expect((await installed.store.getKey(issued.id))?.issuedBy).toBe("tok_issuer");
});

test("warns of an allowed currency without a rate, since its calls would be refused", async () => {
  const policy = { ...CHARGES, allowed_currencies: ["usd", "eur"] };
  const { warnings } = await installed.control.issueKey({ policy, expires_in: "2h" }, ADMIN);
  expect(warnings).toEqual([
    "allowed_currencies has eur and there is no rate for that: such calls are refused until currency_rates.eur is set",
  ]);
});
