/** The package: vault keys for agent runs. */
export { asCapHit, CapHit, type CapHitDetails, isCapHit, unlessCapHit } from "./cap-hit.ts";
export { Keybrake, type KeybrakeOptions } from "./client.ts";
export { ApiError, KeybrakeError, Misconfigured, Unreachable } from "./errors.ts";
export { type RunKey, VaultKey } from "./key.ts";
export type { IssuedVaultKey, IssueKey } from "./shapes.ts";
