import { afterEach, beforeEach, expect, test } from "bun:test";
import { Secret } from "../../src/core/secret.ts";
import type { VendorSettings } from "../../src/operate/control-plane.ts";
import type { VendorRecord } from "../../src/store/store.ts";
import { unseal } from "../../src/vault/seal.ts";
import { type Installed, install, problemOf } from "./installed.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

const SECRET = new Secret("sk_test_real_secret");
const SID = `AC${"0".repeat(32)}`;

async function record(name = "stripe"): Promise<VendorRecord> {
  return (await installed.store.listVendors()).find((vendor) => vendor.name === name)!;
}

async function openedSecret(name = "stripe"): Promise<string> {
  const { sealedSecret, secretId, version } = await record(name);
  return unseal(installed.masterKey, sealedSecret!, { vendor: name, secretId, version }).reveal();
}

test("lists every vendor, set up or not", async () => {
  await installed.control.setVendor("stripe", { secret: SECRET });
  expect(await installed.control.listVendors()).toEqual([
    {
      name: "stripe",
      title: "Stripe",
      configured: true,
      idempotency: "always",
      account_id: null,
      origin: "https://api.stripe.com",
      private: false,
      version: 1,
      updated_at: "2026-01-01T00:00:00.000Z",
      health: { calls: 0, failed: 0, last_success_at: null, last_failure_at: null, last_failure: null },
    },
    expect.objectContaining({ name: "twilio", configured: false, version: 0, updated_at: null }),
    expect.objectContaining({ name: "resend", configured: false }),
    ...["postmark", "sendgrid", "segment"].map((name) => expect.objectContaining({ name, configured: false })),
    expect.objectContaining({ name: "shopify", origin: "https://{account}.myshopify.com" }),
  ]);
});

test("seals the secret, bound to this vendor, id and version", async () => {
  const view = await installed.control.setVendor("stripe", { secret: new Secret("sk_test_real_secret\n") });
  expect(await openedSecret()).toBe("sk_test_real_secret");
  const { sealedSecret, secretId } = await record();
  expect(JSON.stringify(view)).not.toContain("real_secret");
  expect(Buffer.from(sealedSecret!).includes("real_secret")).toBe(false);
  expect(() => unseal(installed.masterKey, sealedSecret!, { vendor: "stripe", secretId, version: 2 })).toThrow();
});

test("rotates: a new version, a new seal, and what was not given stays", async () => {
  const origin = "http://127.0.0.1:12111";
  await installed.control.setVendor("twilio", { secret: SECRET, account_id: SID, origin, private: true });
  const first = await record("twilio");
  installed.clock.nowMs += 1000;
  await installed.control.setVendor("twilio", { secret: new Secret("sk_test_next_secret") });
  const second = await record("twilio");
  expect(await openedSecret("twilio")).toBe("sk_test_next_secret");
  expect(second).toMatchObject({ version: 2, accountId: SID, origin, isPrivate: true });
  expect(second.secretId).not.toBe(first.secretId);
});

test("moves the vendor without the secret being given again", async () => {
  await installed.control.setVendor("stripe", { secret: SECRET });
  const moved = await installed.control.setVendor("stripe", { origin: "https://eu.stripe.example" });
  expect(moved).toMatchObject({ origin: "https://eu.stripe.example", version: 2 });
  expect(await openedSecret()).toBe("sk_test_real_secret");
  expect(await installed.control.setVendor("stripe", { origin: null })).toMatchObject({
    origin: "https://api.stripe.com",
    private: false,
    version: 3,
  });
});

test("a new origin does not inherit the old one's permission to be private", async () => {
  await installed.control.setVendor("stripe", { secret: SECRET, origin: "http://127.0.0.1:1", private: true });
  const move = () => installed.control.setVendor("stripe", { origin: "http://10.0.0.1" });
  expect((await problemOf(move)).message).toContain("not https");
});

const REFUSED: readonly (readonly [what: string, name: string, settings: VendorSettings, message: RegExp])[] = [
  ["a vendor without any secret", "stripe", { origin: "https://x.example" }, /no secret yet/],
  ["an empty secret", "stripe", { secret: new Secret("\n") }, /is empty/],
  ["Twilio without its account", "twilio", { secret: SECRET }, /account_id is missing/],
  ["another account id", "twilio", { secret: SECRET, account_id: "acct_1" }, /"acct_1"/],
  ["an account id where there is none", "stripe", { secret: SECRET, account_id: "acct_1" }, /neither/],
  ["a user name where there is none", "resend", { secret: SECRET, username: "SK1" }, /neither/],
  ["a user name with a colon", "twilio", { secret: SECRET, account_id: SID, username: "a:b" }, /username/],
  ["private without an origin", "stripe", { secret: SECRET, private: true }, /none is given/],
  ["http that is not private", "stripe", { secret: SECRET, origin: "http://x.example" }, /not https/],
];

test.each(REFUSED)("refuses %s, and stores nothing", async (_what, name, settings, message) => {
  const problem = await problemOf(() => installed.control.setVendor(name, settings));
  expect(problem.code).toBe("invalid");
  expect(problem.message).toMatch(message);
  expect(await installed.store.listVendors()).toEqual([]);
});

test("names the nearest vendor where there is none of that name", async () => {
  for (const attempt of [
    () => installed.control.setVendor("strip", { secret: SECRET }),
    () => installed.control.removeVendor("strip"),
    () => installed.control.testVendor("strip"),
  ]) {
    const problem = await problemOf(attempt);
    expect(problem.code).toBe("not_found");
    expect(problem.message).toContain("did you mean stripe?");
  }
});

test("removes secret, account and origin; the version goes on, so that no old seal fits again", async () => {
  await installed.control.setVendor("stripe", { secret: SECRET, origin: "https://x.example" });
  expect(await installed.control.removeVendor("stripe")).toEqual({ name: "stripe", removed: true });
  expect(await installed.control.removeVendor("stripe")).toEqual({ name: "stripe", removed: false });
  const [view] = await installed.control.listVendors();
  expect(view).toMatchObject({ configured: false, origin: "https://api.stripe.com", version: 2 });
  expect((await installed.control.setVendor("stripe", { secret: SECRET })).version).toBe(3);
});

test("a race is tried again once on what is there then, and then said", async () => {
  const { store, control } = installed;
  const putVendor = store.putVendor.bind(store);
  let rivals = 1;
  Object.assign(store, {
    putVendor: async (vendor: VendorRecord) => {
      if (rivals-- > 0) await putVendor({ ...vendor, secretId: "sec_rival" });
      return putVendor(vendor);
    },
  });
  expect((await control.setVendor("stripe", { secret: SECRET })).version).toBe(2);
  expect(await openedSecret()).toBe("sk_test_real_secret");
  rivals = 2;
  expect((await problemOf(() => control.setVendor("stripe", { secret: SECRET }))).code).toBe("conflict");
});
