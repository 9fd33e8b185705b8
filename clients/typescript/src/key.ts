import { Misconfigured } from "./errors.ts";
import type { IssuedVaultKey } from "./shapes.ts";

/** A key that is revoked when it is disposed of: `await using key = await keybrake.vaultKey(…)`. */
export type RunKey = VaultKey & AsyncDisposable;

/** Where stripe-node sends: it takes a host and no path, and Keybrake tells the vendor by the key. */
export interface StripeAddress {
  readonly host: string;
  readonly port: number;
  readonly protocol: "http" | "https";
}

interface TwilioAddress {
  baseUrl: string;
}

/** What is changed of a client of Twilio's. */
interface TwilioClient {
  edge?: string;
  region?: string;
  api: TwilioAddress;
}

/** The products of Twilio whose calls Keybrake knows under a path of their own. */
const PRODUCTS = ["verify", "lookups", "messaging", "conversations", "voice", "video"] as const;

/**
 * A key of one run. It holds no control token, so that none can revoke it. `JSON.stringify` keeps the secret, for a
 * queue; printing the object does not show it.
 */
export class VaultKey {
  readonly id: string;
  /** The label of the run. */
  readonly label: string | null;
  /** When it stops by itself: ISO 8601, UTC. */
  readonly expiresAt: string;
  readonly #issued: IssuedVaultKey;

  constructor(issued: IssuedVaultKey) {
    this.id = issued.id;
    this.label = issued.agent_run_label;
    this.expiresAt = issued.expires_at;
    this.#issued = issued;
  }

  /** The secret that stands in place of the vendor's. */
  get token(): string {
    return this.#issued.vault_key;
  }

  /** The whole answer of the control API; `new VaultKey(…)` takes it on the other side of a queue. */
  toJSON(): IssuedVaultKey {
    return this.#issued;
  }

  /** Variables for a process of its own, that reads its settings from the environment. */
  get environment(): Readonly<Record<string, string>> {
    return this.#issued.environment;
  }

  /** Where calls to this vendor go. Throws Misconfigured where the key is not for it. */
  baseUrl(vendor: string): string {
    const address = this.#issued.base_urls[vendor];
    if (address === undefined) {
      throw new Misconfigured(
        `the key ${this.id} is not for ${vendor}`,
        `it is for ${this.#issued.vendors.join(", ")}`,
      );
    }
    return address;
  }

  /** A client of the class `Stripe` with this key; `options` are the SDK's own. */
  stripe<Client, Options extends object>(
    Stripe: new (key: string, options: StripeAddress & Options) => Client,
    options?: Options,
  ): Client {
    const { hostname, port, protocol } = new URL(this.baseUrl("stripe"));
    const scheme = protocol === "https:" ? "https" : "http";
    const fallback = scheme === "https" ? 443 : 80;
    const address = { host: hostname, port: port === "" ? fallback : Number(port), protocol: scheme } as const;
    return new Stripe(this.token, { ...(options as Options), ...address });
  }

  /** A client of Twilio's function `twilio` with this key. Its products go through Keybrake, too. */
  twilio<Client extends { readonly api: object }>(twilio: (accountSid: string, authToken: string) => Client): Client {
    const address = this.baseUrl("twilio");
    const client = twilio(this.environment["TWILIO_ACCOUNT_SID"] ?? "", this.#issued.vault_key_alphanumeric);
    const open = client as unknown as TwilioClient & Record<(typeof PRODUCTS)[number], TwilioAddress | undefined>;
    // From TWILIO_EDGE and TWILIO_REGION: they would be put into the host of the address below.
    delete open.edge;
    delete open.region;
    open.api.baseUrl = address;
    for (const product of PRODUCTS) {
      const part = open[product];
      if (part) part.baseUrl = `${address}/${product}`;
    }
    return client;
  }

  /** A client of the class `Resend` with this key. */
  resend<Client>(Resend: new (key: string, options: { baseUrl: string }) => Client): Client {
    return new Resend(this.token, { baseUrl: this.baseUrl("resend") });
  }
}
