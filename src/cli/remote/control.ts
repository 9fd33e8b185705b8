import { Problem } from "../../core/problem.ts";
import type { ControlPlane } from "../../operate/control-plane.ts";
import { remoteAudit } from "./audit.ts";
import { remoteKeys } from "./keys.ts";
import { remoteOperators } from "./operators.ts";
import { remotePolicies } from "./policies.ts";
import type { RemoteClient } from "./request.ts";
import { remoteSpend } from "./spend.ts";
import { remoteVendors } from "./vendors.ts";

/**
 * The control plane of a server, over its API: each method of `ControlPlane` has its request here, and the compiler sees to
 * it that none is forgotten. Who asks is said by the token, whatever `actor` is.
 */
export function createRemoteControl(client: RemoteClient): ControlPlane {
  return {
    ...remoteKeys(client),
    ...remoteVendors(client),
    ...remoteAudit(client),
    ...remotePolicies(client),
    ...remoteSpend(client),
    ...remoteOperators(client),
    // Of a vault key about itself: an operator's token cannot ask it, and no command does.
    self: async () => {
      throw new Problem("usage", "only a vault key can ask about itself", "keybrake key show ID");
    },
  };
}
