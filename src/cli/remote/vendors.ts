import type { ControlPlane } from "../../operate/control-plane.ts";
import type { ListedVendorView } from "../../operate/vendor-health.ts";
import type { OperationView } from "../../operate/vendor-operations.ts";
import type { PriceView } from "../../operate/vendor-prices.ts";
import { type RemoteClient, segment } from "./request.ts";

type VendorVerbs = Pick<
  ControlPlane,
  "listVendors" | "setVendor" | "removeVendor" | "testVendor" | "vendorOperations" | "vendorPrices"
>;

/** The vendors; a secret goes in the body of a PUT, and nothing brings it back. */
export function remoteVendors(client: RemoteClient): VendorVerbs {
  return {
    listVendors: async () => (await client.ask<{ vendors: readonly ListedVendorView[] }>("GET", "/vendors")).vendors,
    setVendor: (name, { secret, ...settings }) =>
      client.ask("PUT", `/vendors/${segment(name)}/secret`, {
        body: { ...settings, ...(secret === undefined ? {} : { secret: secret.reveal() }) },
        isRepeatable: true,
      }),
    removeVendor: (name) => client.ask("DELETE", `/vendors/${segment(name)}/secret`),
    testVendor: (name) => client.ask("POST", `/vendors/${segment(name)}/test`, { isRepeatable: true }),
    vendorOperations: async (name) => {
      const path = `/vendors/${segment(name)}/operations`;
      return (await client.ask<{ operations: readonly OperationView[] }>("GET", path)).operations;
    },
    vendorPrices: async (name, all) => {
      const path = `/vendors/${segment(name)}/prices`;
      return (await client.ask<{ prices: readonly PriceView[] }>("GET", path, { query: { all } })).prices;
    },
  };
}
