import { timeOrderedId } from "../core/id.ts";
import { formatUsd, type Micros, parseUsd } from "../core/money.ts";
import { Problem } from "../core/problem.ts";
import type { ControlTokenRecord, Store } from "../store/store.ts";
import { CONTROL_ROLES, mintControlToken } from "../vault/control-token.ts";
import { asInvalid } from "./as-invalid.ts";
import type { Actor, IssuedTokenView, IssueTokenRequest, TokenView } from "./control-plane.ts";
import { checkName } from "./free-text.ts";
import { isoTime } from "./key-view.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** A new control token. The answer is the one place where it stands; the store keeps its hash. */
export async function issueToken(
  { store, clock, templates }: ControlPlaneOptions,
  request: IssueTokenRequest,
): Promise<IssuedTokenView> {
  const { role } = request;
  if (!CONTROL_ROLES.includes(role)) {
    throw new Problem("invalid", `role must be ${CONTROL_ROLES.join(", ")}, not ${JSON.stringify(role)}`);
  }
  if (role !== "issuer" && (request.templates !== undefined || request.max_daily_usd !== undefined)) {
    const whose = role === "admin" ? "an admin may do everything" : "an auditor issues nothing";
    throw new Problem("invalid", `templates and max_daily_usd bind an issuer; ${whose}`, "leave them out");
  }
  if (request.templates?.length === 0) {
    throw new Problem(
      "invalid",
      "templates is empty, so that nothing could be issued",
      "name one, or leave it out for all",
    );
  }
  for (const name of request.templates ?? []) asInvalid(() => templates.get(name));
  const now = clock.now();
  const minted = mintControlToken(role);
  const record: ControlTokenRecord = {
    id: timeOrderedId("tok", now),
    tokenHash: minted.hash,
    role,
    name: request.name === undefined ? null : checkName(request.name, "name"),
    templates: request.templates === undefined ? null : [...new Set(request.templates)],
    maxDailyMicros: request.max_daily_usd === undefined ? null : ceiling(request.max_daily_usd),
    createdAt: now,
    revokedAt: null,
  };
  await store.insertToken(record);
  return { ...tokenView(record), token: minted.token.reveal() };
}

export async function listTokens({ store }: ControlPlaneOptions): Promise<readonly TokenView[]> {
  return (await store.listTokens()).map(tokenView);
}

/** From its next request on the token is refused. The keys that were issued with it stay as they are. */
export async function revokeToken(
  { store, clock }: ControlPlaneOptions,
  id: string,
): Promise<{ id: string; revoked: boolean }> {
  const revoked = await store.revokeToken(id, clock.now());
  if (!revoked && !(await store.listTokens()).some((token) => token.id === id)) {
    throw new Problem(
      "not_found",
      `there is no token ${JSON.stringify(id.slice(0, 60))}`,
      "`keybrake token list` shows them",
    );
  }
  return { id, revoked };
}

/** Read from the store with every request, so that a revoked token is refused by every process at once. */
export async function findLivingToken(
  store: Pick<Store, "findTokenByHash">,
  tokenHash: Uint8Array,
): Promise<ControlTokenRecord | undefined> {
  const record = await store.findTokenByHash(tokenHash);
  return record?.revokedAt === null ? record : undefined;
}

/** Whoever bears the token. */
export function actorOf({ id, role, templates, maxDailyMicros }: ControlTokenRecord): Actor {
  return { role, tokenId: id, templates, maxDailyMicros };
}

function ceiling(given: string | number): Micros {
  try {
    return parseUsd(given);
  } catch (cause) {
    throw new Problem("invalid", `max_daily_usd: ${(cause as RangeError).message}`);
  }
}

function tokenView(record: ControlTokenRecord): TokenView {
  return {
    id: record.id,
    role: record.role,
    name: record.name,
    templates: record.templates,
    max_daily_usd: record.maxDailyMicros === null ? null : formatUsd(record.maxDailyMicros),
    created_at: isoTime(record.createdAt),
    revoked_at: record.revokedAt === null ? null : isoTime(record.revokedAt),
  };
}
