import type { StopScope } from "../core/hard-stop.ts";
import { Problem } from "../core/problem.ts";
import type { KeySelector, VaultKeyRecord } from "../store/store.ts";
import { isVisible, ownKeysOnly, refuseReader } from "./actor.ts";
import type { Actor, RevokeRequest, RevokeView } from "./control-plane.ts";
import { checkLabel, checkReason } from "./free-text.ts";
import { stopHard } from "./hard-stop.ts";
import { checkVendorName } from "./known-vendor.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** Stops keys. In force for every process when it resolves; what is in flight ends by itself unless `hard` is given. */
export async function revokeKeys(
  options: ControlPlaneOptions,
  request: RevokeRequest,
  actor: Actor,
): Promise<RevokeView> {
  refuseReader(actor);
  const reason = checkReason(request.reason);
  const selector = selectorOf(options, request, actor);
  const revoked = (await options.store.revokeKeys(selector, reason, options.clock.now())).map(({ id }) => id);
  const named = await namedKeys(options, request.ids ?? [], actor);
  const before = named.known
    .filter(({ id, revokedAt }) => revokedAt !== null && !revoked.includes(id))
    .map(({ id }) => id);
  if (request.hard === true) {
    const stop = { keyIds: [...revoked, ...before], scope: scopeOf(selector) };
    if (stop.keyIds.length > 0 || stop.scope !== null) await stopHard(options, stop);
  }
  if (named.unknown.length > 0) throw unknownIds(named.unknown, revoked);
  return { revoked, already_revoked: before };
}

/**
 * Calls of keys that were selected by label or vendor, also where those keys were revoked earlier: `--hard` after a plain
 * revoke is how one gets rid of what is still in flight. An issuer reaches only keys by their id.
 */
function scopeOf({ ids, label, labelPrefix, vendor, issuedBy }: KeySelector): StopScope | null {
  if (ids !== undefined || issuedBy !== undefined) return null;
  return { vendor: vendor ?? null, label: label ?? null, labelPrefix: labelPrefix ?? null };
}

function selectorOf(options: ControlPlaneOptions, request: RevokeRequest, actor: Actor): KeySelector {
  const { ids, label, label_prefix, vendor, all } = request;
  if (all !== true && !ids?.length && label === undefined && label_prefix === undefined && vendor === undefined) {
    throw new Problem("invalid", "nothing says which keys to revoke", "give ids, label, label_prefix, vendor, or all");
  }
  if (all === true && (ids ?? label ?? label_prefix ?? vendor) !== undefined) {
    throw new Problem("invalid", "all is given beside ids, label, label_prefix or vendor", "give the one or the other");
  }
  const owner = ownKeysOnly(actor);
  return {
    ...(all === true ? { all } : {}),
    ...(ids === undefined ? {} : { ids }),
    ...(label === undefined ? {} : { label: checkLabel(label, "label") }),
    // An empty prefix would select every key that has a label.
    ...(label_prefix === undefined ? {} : { labelPrefix: checkLabel(label_prefix, "label_prefix") }),
    ...(vendor === undefined ? {} : { vendor: checkVendorName(options.vendors, vendor).name }),
    ...(owner === undefined ? {} : { issuedBy: owner }),
  };
}

async function namedKeys({ store }: ControlPlaneOptions, ids: readonly string[], actor: Actor) {
  const known: VaultKeyRecord[] = [];
  const unknown: string[] = [];
  for (const id of new Set(ids)) {
    const record = await store.getKey(id);
    if (record && isVisible(record, actor)) known.push(record);
    else unknown.push(id);
  }
  return { known, unknown };
}

/** Said after the others have been stopped: a typo in one id must not keep the rest running. */
function unknownIds(unknown: readonly string[], revoked: readonly string[]): Problem {
  const names = unknown.map((id) => JSON.stringify(id.slice(0, 60))).join(", ");
  const done = revoked.length === 0 ? "nothing was revoked" : `revoked: ${revoked.join(", ")}`;
  return new Problem("not_found", `there is no key ${names}; ${done}`, "`keybrake key list` shows the keys");
}
