import type { Secret } from "../core/secret.ts";
import type { Store, VendorRecord } from "../store/store.ts";
import type { MasterKey } from "../vault/master-key.ts";
import { unseal } from "../vault/seal.ts";
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
  /** Replaces every origin of the vendor's file where the operator points it elsewhere. */
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

  constructor(store: Store, options: VendorDeskOptions) {
    this.#store = store;
    this.#options = options;
    this.credentialHeaders = [...new Set(options.vendors.flatMap((vendor) => vendor.credentialHeaders))];
  }

  async reload(): Promise<void> {
    const records = new Map((await this.#store.listVendors()).map((record) => [record.name, record]));
    this.#setups = new Map(
      this.#options.vendors.map((vendor) => [vendor.name, this.#setup(vendor, records.get(vendor.name))]),
    );
  }

  get(name: string): VendorSetup | undefined {
    return this.#setups.get(name);
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
        origin: record.origin ?? undefined,
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
