import { timeOrderedId } from "../core/id.ts";
import { Problem } from "../core/problem.ts";
import type { Secret } from "../core/secret.ts";
import type { VendorRecord } from "../store/store.ts";
import { seal, unseal } from "../vault/seal.ts";
import { accountOrigin } from "../vendors/origin.ts";
import type { Vendor } from "../vendors/vendor.ts";
import type { VendorSettings, VendorView } from "./control-plane.ts";
import { isoTime } from "./key-view.ts";
import { knownVendor, vendorRecord } from "./known-vendor.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { HEALTH_ROWS, healthView, type ListedVendorView } from "./vendor-health.ts";
import { checkOrigin } from "./vendor-origin.ts";
import { checkVendorSecret } from "./vendor-secret.ts";

/** Every vendor that Keybrake knows, set up or not, and how its newest calls went. */
export async function listVendors({ store, vendors }: ControlPlaneOptions): Promise<readonly ListedVendorView[]> {
  const records = new Map((await store.listVendors()).map((record) => [record.name, record]));
  const outcomes = await store.vendorOutcomes(HEALTH_ROWS);
  return vendors.map((vendor) => ({
    ...vendorView(vendor, records.get(vendor.name)),
    health: healthView(outcomes.get(vendor.name)),
  }));
}

/** How often a change is tried again where another process changed the vendor in between. */
const ATTEMPTS = 2;

/** Sets or rotates the secret, or changes where the vendor is. What is not given stays as it is. */
export async function setVendor(
  options: ControlPlaneOptions,
  name: string,
  settings: VendorSettings,
): Promise<VendorView> {
  const vendor = knownVendor(options.vendors, name);
  const secret = settings.secret && checkVendorSecret(settings.secret, name);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await vendorRecord(options.store, name);
    const record = successor(options, vendor, before, settings, secret ?? storedSecret(options, before, name));
    if (await options.store.putVendor(record)) return vendorView(vendor, record);
  }
  throw new Problem("conflict", `${name} was changed by somebody else at the same moment`, "look at it and try again");
}

/** Forgets the secret; calls to the vendor are refused from then on. Keys stay, and work again once there is a new one. */
export async function removeVendor(
  { store, clock, vendors }: ControlPlaneOptions,
  name: string,
): Promise<{ name: string; removed: boolean }> {
  // One that is no longer declared may have left its secret.
  if (!(await vendorRecord(store, name))) knownVendor(vendors, name);
  return { name, removed: await store.removeVendor(name, clock.now()) };
}

/** The secret that is stored. @throws Problem `invalid` where there is none yet, `unavailable` where it does not open. */
export function storedSecret(
  { masterKey }: ControlPlaneOptions,
  record: VendorRecord | undefined,
  name: string,
): Secret {
  if (!record?.sealedSecret) {
    throw new Problem("invalid", `${name} has no secret yet`, `give it one: keybrake vendor set ${name}`);
  }
  return unseal(masterKey, record.sealedSecret, { vendor: name, secretId: record.secretId, version: record.version });
}

/** The record that follows `before`. A new version needs a new seal, because the seal is bound to the version. */
function successor(
  { clock, masterKey }: ControlPlaneOptions,
  vendor: Vendor,
  before: VendorRecord | undefined,
  settings: VendorSettings,
  secret: Secret,
): VendorRecord {
  const now = clock.now();
  const secretId = timeOrderedId("sec", now);
  const version = (before?.version ?? 0) + 1;
  const whose = account(vendor, before, settings);
  const accountsOwn = accountOrigin(vendor, whose.accountId);
  if (accountsOwn !== undefined) checkOrigin(accountsOwn, false);
  return {
    name: vendor.name,
    ...whose,
    ...address(before, settings),
    sealedSecret: seal(masterKey, secret, { vendor: vendor.name, secretId, version }),
    secretId,
    version,
    updatedAt: now,
  };
}

/** What is not secret of the credential: Twilio's account, and the id of an API key where the secret belongs to one. */
function account(
  vendor: Vendor,
  before: VendorRecord | undefined,
  settings: VendorSettings,
): Pick<VendorRecord, "accountId" | "username"> {
  const accountId = settings.account_id ?? before?.accountId ?? "";
  const username = settings.username ?? before?.username ?? "";
  if (!vendor.accountId) {
    if (accountId === "" && username === "") return { accountId, username };
    throw new Problem("invalid", `${vendor.name} takes neither an account id nor a user name`, "give the secret alone");
  }
  const { flag, pattern, description } = vendor.accountId;
  if (!pattern.test(accountId)) {
    const got = accountId === "" ? "is missing" : `is ${JSON.stringify(accountId.slice(0, 60))}`;
    throw new Problem(
      "invalid",
      `${vendor.name}: account_id ${got}; it must be ${description}`,
      `give it with ${flag}`,
    );
  }
  // A colon would end the user name early (RFC 7617 §2).
  if (!/^[A-Za-z0-9_.-]{0,100}$/.test(username)) {
    throw new Problem("invalid", `${vendor.name}: username may have letters, digits and _ . -, at most 100 of them`);
  }
  return { accountId, username };
}

function address(
  before: VendorRecord | undefined,
  settings: VendorSettings,
): Pick<VendorRecord, "origin" | "isPrivate"> {
  const origin = settings.origin === undefined ? (before?.origin ?? null) : settings.origin;
  if (origin === null) {
    if (settings.private !== true) return { origin, isPrivate: false };
    throw new Problem("invalid", "private is for an origin of your own, and none is given", "give origin too");
  }
  // A new origin says anew whether it is private: the old one's permission was for the old address.
  const isPrivate = settings.private ?? (settings.origin === undefined && before?.isPrivate === true);
  return { origin: checkOrigin(origin, isPrivate), isPrivate };
}

function vendorView(vendor: Vendor, record: VendorRecord | undefined): VendorView {
  return {
    name: vendor.name,
    title: vendor.title,
    configured: record?.sealedSecret !== undefined,
    idempotency: vendor.idempotency,
    account_id: record?.accountId || null,
    origin: record?.origin ?? (record && accountOrigin(vendor, record.accountId)) ?? vendor.origin,
    private: record?.isPrivate ?? false,
    version: record?.version ?? 0,
    updated_at: record ? isoTime(record.updatedAt) : null,
  };
}
