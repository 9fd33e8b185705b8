import { createHash } from "node:crypto";
import { timeOrderedId } from "../../src/core/id.ts";
import type { ControlTokenRecord, Store, VaultKeyRecord, VendorRecord } from "../../src/store/store.ts";
import { DAY_MS, NOON } from "../ledger/entries.ts";

/** 32 bytes that belong to `text`. */
export function hashOf(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}

export function keyRecord(overrides: Partial<VaultKeyRecord> = {}): VaultKeyRecord {
  const id = overrides.id ?? timeOrderedId("vk", NOON);
  return {
    id,
    tokenHash: hashOf(id),
    hint: "vault_key_…a1B2",
    vendors: ["stripe"],
    label: "ray-billing/01",
    agentName: "billing",
    template: "billing",
    policy: { vendor: "stripe", daily_usd_cap: "100.00", allowed_endpoints: ["POST /v1/payment_intents"] },
    version: 1,
    createdAt: NOON,
    expiresAt: NOON + 30 * DAY_MS,
    revokedAt: null,
    revokeReason: null,
    autoRevoked: null,
    metadata: { agent_id: "billing_agent" },
    issuedBy: null,
    ...overrides,
  };
}

/** Puts a key into the store and gives it back. */
export async function issue(store: Store, overrides: Partial<VaultKeyRecord> = {}): Promise<VaultKeyRecord> {
  const record = keyRecord(overrides);
  await store.insertKey(record, false);
  return record;
}

export function vendorRecord(overrides: Partial<VendorRecord> = {}): VendorRecord {
  return {
    name: "stripe",
    accountId: "acct_1",
    username: "",
    origin: "http://127.0.0.1:9",
    isPrivate: true,
    sealedSecret: hashOf("sealed"),
    secretId: "sec_1",
    version: 1,
    updatedAt: NOON,
    ...overrides,
  };
}

export function tokenRecord(overrides: Partial<ControlTokenRecord> = {}): ControlTokenRecord {
  const id = overrides.id ?? timeOrderedId("kt", NOON);
  return {
    id,
    tokenHash: hashOf(id),
    role: "issuer",
    name: "ci",
    templates: ["billing", "email"],
    maxDailyMicros: 25_000_000n,
    createdAt: NOON,
    revokedAt: null,
    ...overrides,
  };
}

/** What the API will do with a record: it must not hold a bigint outside the fields that are money. */
export function withoutMoney(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !name.endsWith("Micros")));
}

/** A record with its bytes as plain ones: a driver's Buffer of the same bytes is the same to everybody. */
export function plain(record: object | undefined): object {
  const entries = Object.entries(record ?? {});
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof Uint8Array ? Array.from(value) : value]),
  );
}
