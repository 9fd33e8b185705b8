import { Problem } from "../core/problem.ts";
import { capsCountedFromNow } from "../policy/kind-cap-changes.ts";
import type { PolicyDocument } from "../policy/policy.ts";
import { unknownCostWarnings } from "../policy/unknown-cost.ts";
import { vendorPolicies, vendorPolicy } from "../policy/vendor-policies.ts";
import type { KeyFilter, VaultKeyRecord } from "../store/store.ts";
import { isVisible, ownKeysOnly, refuseReader } from "./actor.ts";
import { autoRevokeViews } from "./auto-revoke-counts.ts";
import type { BudgetView } from "./budget-verbs.ts";
import { budgetsAboveViews } from "./budgets-above.ts";
import type {
  Actor,
  KeyPage,
  KeyView,
  ListKeysRequest,
  SelfView,
  ShownKeyView,
  UpdatedKeyView,
  UpdateKeyRequest,
} from "./control-plane.ts";
import { changedLifetimeMs, changedPolicy } from "./key-policy.ts";
import { keyView, selfView } from "./key-view.ts";
import { checkVendorName } from "./known-vendor.ts";
import type { ControlPlaneOptions } from "./options.ts";

export const KEYS_PER_PAGE = 50;
export const KEYS_PER_PAGE_MAX = 1000;

/** The newest keys first, with what each has spent. `cursor` is the id of the last key of the page before. */
export async function listKeys(options: ControlPlaneOptions, request: ListKeysRequest, actor: Actor): Promise<KeyPage> {
  const { store, clock, config, vendors } = options;
  const limit = request.limit ?? KEYS_PER_PAGE;
  if (!Number.isInteger(limit) || limit < 1 || limit > KEYS_PER_PAGE_MAX) {
    throw new Problem("invalid", `limit must be 1 to ${KEYS_PER_PAGE_MAX}, not ${limit}`);
  }
  const owner = ownKeysOnly(actor);
  const now = clock.now();
  const filter: KeyFilter = {
    ...(request.label === undefined ? {} : { label: request.label }),
    ...(request.label_contains === undefined ? {} : { labelContains: request.label_contains }),
    ...(request.vendor === undefined ? {} : { vendor: checkVendorName(vendors, request.vendor).name }),
    ...(request.active === true ? { activeAt: now } : {}),
    ...(request.cursor === undefined ? {} : { before: checkCursor(request.cursor) }),
    ...(owner === undefined ? {} : { issuedBy: owner }),
    limit: limit + 1,
  };
  const found = await store.listKeys(filter);
  const shown = found.slice(0, limit);
  const keys = await Promise.all(
    shown.map(async (record) => keyView(record, await store.keySpend(record.id, now), config, now)),
  );
  return { keys, next_cursor: found.length > limit ? shown.at(-1)!.id : null };
}

function checkCursor(cursor: string): string {
  if (/^vk_[0-9a-z]{1,40}$/.test(cursor)) return cursor;
  throw new Problem(
    "invalid",
    "cursor is none that a list of keys gave",
    "pass next_cursor as it came, or leave it out",
  );
}

export async function showKey(options: ControlPlaneOptions, id: string, actor: Actor): Promise<ShownKeyView> {
  const record = await visibleKey(options, id, actor);
  const now = options.clock.now();
  const shared_budgets = await budgetsAboveViews(options, record, now);
  const auto_revoke = await autoRevokeViews(options.store, record.policy, record, now);
  return { ...(await viewNow(options, record)), shared_budgets, auto_revoke };
}

/** How often a change is tried again where somebody else changed the key in between. */
const ATTEMPTS = 2;

/** Changes policy fields, or the expiry, or both; calls that are judged from now on are judged by the new policy. */
export async function updateKey(
  options: ControlPlaneOptions,
  id: string,
  change: UpdateKeyRequest,
  actor: Actor,
): Promise<UpdatedKeyView> {
  refuseReader(actor);
  if (change.expires_in === undefined && Object.keys(change.policy).length === 0) {
    throw new Problem("invalid", "there is nothing to change", "give expires_in or a policy field");
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const record = await visibleKey(options, id, actor);
    if (record.revokedAt !== null) {
      throw new Problem("conflict", `${id} is revoked, and a revoked key stays so`, "issue a new key");
    }
    const policy = changedPolicy(options, record, change, actor);
    const expiresAt =
      change.expires_in === undefined
        ? record.expiresAt
        : options.clock.now() + changedLifetimeMs(options, record, change.expires_in, actor);
    const changed = await options.store.updateKey(id, { policy, expiresAt, fromVersion: record.version });
    if (!changed) continue;
    const view = await viewNow(options, changed);
    return { ...view, warnings: [...changeWarnings(record.policy, policy), ...fullCaps(view, change.policy)] };
  }
  throw new Problem("conflict", `${id} was changed by somebody else at the same moment`, "look at it and try again");
}

/** What a change brings with it that is easily overlooked. */
function changeWarnings(before: PolicyDocument, after: PolicyDocument): readonly string[] {
  const unpriced = vendorPolicies(after).flatMap((part) => {
    const was = vendorPolicy(before, part.vendor!)["on_unknown_cost"];
    const isChanged = JSON.stringify(was) !== JSON.stringify(part["on_unknown_cost"]);
    const label = after.vendors === undefined ? "" : `${part.vendor}: `;
    return isChanged ? unknownCostWarnings(part).map(({ message }) => label + message) : [];
  });
  return [...capsCountedFromNow(before, after), ...unpriced];
}

/** A sentence for each cap that the change has set below what is used already: from now on the key spends nothing of it. */
function fullCaps({ spend }: KeyView, changed: UpdateKeyRequest["policy"]): readonly string[] {
  const isChanged = (budget: string) => {
    const [field = "", vendor = "", own = ""] = budget.split(".");
    const parts = changed["vendors"] as PolicyDocument["vendors"];
    return field === "vendors" ? parts?.[vendor]?.[own] !== undefined : field in changed;
  };
  const isFull = ({ remaining }: BudgetView) => !/[1-9]/.test(remaining) || remaining.startsWith("-");
  return spend.budgets
    .filter((one) => isChanged(one.budget) && isFull(one))
    .map(({ budget, unit, cap, used, reset_at }) => {
      const amount = (value: string) => (unit === "usd" ? `$${value}` : `${value} sends`);
      const until = reset_at === null ? "for good" : `until ${reset_at}`;
      return `${budget} is ${amount(cap)}, and ${amount(used)} is used already: nothing more of it can be spent ${until}`;
    });
}

/** @throws Problem `not_found` for a hash that no key has. */
export async function self(options: ControlPlaneOptions, tokenHash: Uint8Array): Promise<SelfView> {
  const { store, clock, config } = options;
  const record = await store.findKeyByHash(tokenHash);
  if (!record) throw new Problem("not_found", "this vault key is not known to this server");
  const now = clock.now();
  const shared_budgets = await budgetsAboveViews(options, record, now);
  const auto_revoke = await autoRevokeViews(store, record.policy, record, now);
  return { ...selfView(record, await store.keySpend(record.id, now), config, now), shared_budgets, auto_revoke };
}

/** @throws Problem `not_found`, also for a key that `actor` may not see. */
export async function visibleKey({ store }: ControlPlaneOptions, id: string, actor: Actor): Promise<VaultKeyRecord> {
  const record = await store.getKey(id);
  if (record && isVisible(record, actor)) return record;
  throw new Problem(
    "not_found",
    `there is no key ${JSON.stringify(id.slice(0, 60))}`,
    "`keybrake key list` shows the keys",
  );
}

async function viewNow({ store, clock, config }: ControlPlaneOptions, record: VaultKeyRecord): Promise<KeyView> {
  return keyView(record, await store.keySpend(record.id, clock.now()), config, clock.now());
}
