import type { Clock } from "../core/clock.ts";
import { formatUsd } from "../core/money.ts";
import type { Secret } from "../core/secret.ts";
import type { EpochMs } from "../core/window.ts";
import type { ControlTokenRecord, Store } from "../store/store.ts";
import type { ControlRole } from "../vault/control-token.ts";
import { mintSessionId } from "../vault/session-id.ts";
import { isoTime } from "./key-view.ts";

/** A working day. Counted from sign-in and not from the last use: a dashboard that is left open would never be signed out. */
export const SESSION_MS = 12 * 3_600_000;
/** Browsers of one token at a time; the newest ones stay. */
const PER_TOKEN_MAX = 20;

/** What somebody stands on who has been let in: a token, by itself or through a session that ends. */
export interface Standing {
  readonly token: ControlTokenRecord;
  /** Null for a token by itself. */
  readonly expiresAt: EpochMs | null;
}

/** Whose session it is, and until when; with a bearer token, which has no end of its own, null. */
export interface SessionView {
  readonly role: ControlRole;
  readonly token_id: string;
  readonly name: string | null;
  readonly templates: readonly string[] | null;
  readonly max_daily_usd: string | null;
  readonly expires_at: string | null;
}

export interface OpenedSession {
  /** For the browser's cookie; the store keeps its hash. */
  readonly id: Secret;
  readonly view: SessionView;
}

/** Signs a browser in, always under a new id. */
export async function openSession(
  { store, clock }: { readonly store: Pick<Store, "insertSession">; readonly clock: Clock },
  token: ControlTokenRecord,
): Promise<OpenedSession> {
  const { token: id, hash: idHash } = mintSessionId();
  const createdAt = clock.now();
  const expiresAt = createdAt + SESSION_MS;
  await store.insertSession({ idHash, tokenId: token.id, createdAt, expiresAt }, PER_TOKEN_MAX);
  return { id, view: sessionView({ token, expiresAt }) };
}

/** What a browser may know of its session. */
export function sessionView({ token, expiresAt }: Standing): SessionView {
  const { id, role, name, templates, maxDailyMicros } = token;
  return {
    role,
    token_id: id,
    name,
    templates,
    max_daily_usd: maxDailyMicros === null ? null : formatUsd(maxDailyMicros),
    expires_at: expiresAt === null ? null : isoTime(expiresAt),
  };
}
