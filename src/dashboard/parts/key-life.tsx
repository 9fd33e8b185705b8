import type { KeyView } from "../../operate/control-plane.ts";
import { At } from "./at.tsx";
import { Until } from "./until.tsx";

/** How long a key still lives, or since when it does not. */
export function KeyLife({ vaultKey }: { readonly vaultKey: KeyView }) {
  const { status, expires_at, revoked_at } = vaultKey;
  if (status === "active") return <Until time={expires_at} over="expired" />;
  return (
    <span>
      <span class="badge is-refused">{status}</span>{" "}
      <span class="muted small">
        <At time={status === "revoked" ? revoked_at : expires_at} />
      </span>
    </span>
  );
}
