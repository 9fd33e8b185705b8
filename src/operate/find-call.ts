import type { AuditRow } from "../audit/row.ts";
import { Problem } from "../core/problem.ts";
import type { AuditFilter, Store } from "../store/store.ts";

/** `call_`, and of its 22 characters the first ten or more of the time, or all of them. */
const CALL_ID = /^call_[0-9a-hjkmnp-tv-z]{1,22}$/;
const CALL_ID_CHARACTERS = 27;

const ROWS_PER_PAGE = 200;
const NAMED_MAX = 3;

/**
 * The one unresolved call whose id begins with `text`. The idempotency key that a vendor was sent for it (`kb_call_…`) is
 * its id, too: that is what an operator finds in the vendor's log.
 * @param mayBeSeen false for a call that is not there as far as whoever asks is concerned.
 * @throws Problem `invalid` for what is no id, or the beginning of several; `conflict` for a call that is still at the
 * vendor or has been resolved; `not_found`.
 */
export async function findUnresolvedCall(
  store: Store,
  text: string,
  mayBeSeen: (row: AuditRow) => Promise<boolean>,
): Promise<AuditRow> {
  const prefix = readPrefix(text);
  const open = [
    ...(await rowsWith(store, { state: "unresolved" }, prefix)),
    ...(await rowsWith(store, { state: "held" }, prefix)),
  ];
  const candidates = await only(open, mayBeSeen);
  if (candidates.length > 1) throw ambiguous(prefix, candidates);
  const row = candidates[0] ?? (await only(await decidedCall(store, prefix), mayBeSeen))[0];
  if (!row) throw unknown(prefix);
  if (candidates.length === 0 || row.state === "held") throw notUnresolved(row);
  return row;
}

function readPrefix(text: string): string {
  const prefix = text.trim().replace(/^kb_(?=call_)/, "");
  if (CALL_ID.test(prefix)) return prefix;
  // Whatever secret was pasted here is not shown again.
  const isSecret = /^(?:vault_?key|kb_|sk_|rk_|re_)/.test(prefix);
  const got = isSecret ? "what was given" : JSON.stringify(text.slice(0, 60));
  throw new Problem("invalid", `${got} is no call id`, "a call id begins with call_; `keybrake resolve` lists them");
}

async function rowsWith(store: Store, filter: AuditFilter, prefix: string): Promise<readonly AuditRow[]> {
  const found: AuditRow[] = [];
  let before: number | undefined;
  do {
    const { rows, older } = await store.queryAudit(filter, {
      limit: ROWS_PER_PAGE,
      ...(before === undefined ? {} : { before }),
    });
    found.push(...rows.filter(({ id }) => id.startsWith(prefix)));
    before = older;
  } while (before !== undefined);
  return found;
}

/** A call that is no longer open: for saying why it cannot be resolved. */
async function decidedCall(store: Store, id: string): Promise<readonly AuditRow[]> {
  return id.length === CALL_ID_CHARACTERS ? rowsWith(store, { callId: id }, id) : [];
}

async function only(
  rows: readonly AuditRow[],
  mayBeSeen: (row: AuditRow) => Promise<boolean>,
): Promise<readonly AuditRow[]> {
  const seen = await Promise.all(rows.map(mayBeSeen));
  return rows.filter((_row, index) => seen[index]);
}

function ambiguous(prefix: string, rows: readonly AuditRow[]): Problem {
  const named = rows.slice(0, NAMED_MAX).map(({ id }) => id);
  const more = rows.length > NAMED_MAX ? ` and ${rows.length - NAMED_MAX} more` : "";
  return new Problem("invalid", `${prefix} is the beginning of ${named.join(", ")}${more}`, "give more of the id");
}

function unknown(prefix: string): Problem {
  const isWhole = prefix.length === CALL_ID_CHARACTERS;
  const message = `there is no unresolved call ${isWhole ? prefix : `that begins with ${prefix}`}`;
  return new Problem("not_found", message, "`keybrake resolve` lists them");
}

/** Why a call that there is cannot be resolved by hand. */
function notUnresolved({ id, state, refersTo }: AuditRow): Problem {
  if (refersTo !== null) {
    return new Problem("conflict", `${id} is the row by which ${refersTo} was resolved; a resolution stands`);
  }
  if (state === "held") {
    return new Problem(
      "conflict",
      `${id} is still at the vendor: its answer may come yet`,
      "wait for it, or cut it off with `keybrake key revoke --hard` first; it is then unresolved",
    );
  }
  return alreadyResolved(id, state);
}

export function alreadyResolved(id: string, state: AuditRow["state"]): Problem {
  const was = state === "unresolved" ? "was resolved before" : `is ${state}`;
  return new Problem(
    "conflict",
    `${id} ${was}: a call is resolved once`,
    "`keybrake audit --json` shows by whom and how, in the row that refers_to it",
  );
}
