import type { Secret } from "../core/secret.ts";
import type { Store, VendorRecord } from "../store/store.ts";
import type { MasterKey } from "../vault/master-key.ts";
import { unseal } from "../vault/seal.ts";
import { undeclaredVendor } from "../vendors/declared.ts";
import { vendorForPath } from "../vendors/index.ts";
import { accountOrigin } from "../vendors/origin.ts";
import type { Pricing, Vendor, VendorAccount } from "../vendors/vendor.ts";

/** A vendor as it is set up here: where it is and with what it is paid. */
export interface VendorSetup {
  readonly vendor: Vendor;
  /** Version of the stored settings; 0 where there are none. */
  readonly version: number;
  readonly account: VendorAccount;
  readonly username: string;
  /** Undefined where no secret is configured. */
  readonly secret: Secret | undefined;
  /** Replaces every origin of the vendor's file where the operator points it elsewhere, or the account has its own host. */
  readonly origin: string | undefined;
  /** Whether private and loopback addresses are allowed for it. */
  readonly isPrivate: boolean;
  readonly sandbox: boolean;
  readonly pricing: Pricing;
}

/** How a vendor without a secret is served under `--sandbox`. */
export interface SandboxSetup {
  readonly origin: string;
  readonly secret: Secret;
  readonly accountId: string;
}

export interface VendorDeskOptions {
  readonly vendors: readonly Vendor[];
  readonly masterKey: MasterKey;
  readonly pricingOf: (vendor: string) => Pricing;
  readonly sandbox: ReadonlyMap<string, SandboxSetup>;
}

/** The vendors' settings, unsealed once per version. A change is found out by the ledger, which then asks for a reload. */
export class VendorDesk {
  readonly #store: Store;
  readonly #options: VendorDeskOptions;
  /** Headers beside Authorization in which some vendor's SDK puts its key. */
  readonly credentialHeaders: readonly string[];
  #setups: ReadonlyMap<string, VendorSetup> = new Map();
  /** Of all stored settings, also of vendors that are no longer declared. */
  #versions: ReadonlyMap<string, number> = new Map();

  constructor(store: Store, options: VendorDeskOptions) {
    this.#store = store;
    this.#options = options;
    this.credentialHeaders = [...new Set(options.vendors.flatMap((vendor) => vendor.credentialHeaders))];
  }

  async reload(): Promise<void> {
    const records = new Map((await this.#store.listVendors()).map((record) => [record.name, record]));
    this.#versions = new Map([...records.values()].map(({ name, version }) => [name, version]));
    this.#setups = new Map(
      this.#options.vendors.map((vendor) => [vendor.name, this.#setup(vendor, records.get(vendor.name))]),
    );
  }

  get(name: string): VendorSetup | undefined {
    return this.#setups.get(name);
  }

  /** As `get`, for a key that is out: where its vendor is no longer declared, one that has no secret and no operation. */
  setupOf(name: string): VendorSetup {
    const known = this.#setups.get(name);
    if (known) return known;
    const version = this.#versions.get(name) ?? 0;
    return { ...this.#setup(undeclaredVendor(name), undefined), version };
  }

  /** The vendor that a path without a vendor prefix looks like: for the shape of an error and nothing else. */
  forPath(path: string): Vendor | undefined {
    return vendorForPath(path, this.#options.vendors);
  }

  get all(): readonly VendorSetup[] {
    return [...this.#setups.values()];
  }

  #setup(vendor: Vendor, record: VendorRecord | undefined): VendorSetup {
    const pricing = this.#options.pricingOf(vendor.name);
    const version = record?.version ?? 0;
    if (record?.sealedSecret) {
      const binding = { vendor: vendor.name, secretId: record.secretId, version };
      return {
        vendor,
        version,
        account: { accountId: record.accountId },
        username: record.username,
        secret: unseal(this.#options.masterKey, record.sealedSecret, binding),
        origin: record.origin ?? accountOrigin(vendor, record.accountId),
        isPrivate: record.isPrivate,
        sandbox: false,
        pricing,
      };
    }
    const sandbox = this.#options.sandbox.get(vendor.name);
    return {
      vendor,
      version,
      account: { accountId: sandbox?.accountId ?? "" },
      username: "",
      secret: sandbox?.secret,
      origin: sandbox?.origin,
      isPrivate: sandbox !== undefined,
      sandbox: sandbox !== undefined,
      pricing,
    };
  }
}
