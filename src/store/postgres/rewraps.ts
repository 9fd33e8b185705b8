import type { SQL as Pool, TransactionSQL } from "bun";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import type { Rewrapped, Rewraps } from "../rewraps.ts";

/** As `RekeyVerbs.rewrapSealed`, in one transaction, with the ledger standing still. */
export function rewrapSealed(pool: Pool, rewraps: Rewraps, now: EpochMs): Promise<Rewrapped> {
  return pool.begin(async (tx) => {
    await tx.unsafe("SELECT 1 FROM ledger_state WHERE id = 1 FOR UPDATE");
    await refuseServer(tx, now);
    const vendorSecrets = await rewrapVendors(tx, rewraps);
    await rewrapChainKey(tx, rewraps);
    const remembered = await rewrapRemembered(tx, rewraps);
    return { vendorSecrets, answers: remembered + (await rewrapRecorded(tx, rewraps)) };
  });
}

/** `probe` is what `doctor` writes to see whether it can. */
async function refuseServer(tx: TransactionSQL, now: EpochMs): Promise<void> {
  const [living] = (await tx.unsafe(`SELECT owner FROM leases WHERE "until" > $1 AND owner <> 'probe' LIMIT 1`, [
    now,
  ])) as { owner: string }[];
  if (!living) return;
  throw new Problem(
    "conflict",
    `the server ${living.owner} runs on this store, or was killed within the last 15 seconds`,
    "stop every server first: a running one keeps the old master key",
  );
}

async function rewrapVendors(tx: TransactionSQL, rewraps: Rewraps): Promise<number> {
  const rows = (await tx.unsafe(
    "SELECT name, secret_id, version, sealed_secret FROM vendors WHERE sealed_secret IS NOT NULL",
  )) as { name: string; secret_id: string; version: unknown; sealed_secret: Uint8Array }[];
  for (const { name, secret_id: secretId, version, sealed_secret } of rows) {
    const sealed = rewraps.vendorSecret(sealed_secret, { name, secretId, version: Number(version) });
    await tx.unsafe("UPDATE vendors SET sealed_secret = $1 WHERE name = $2", [sealed, name]);
  }
  return rows.length;
}

async function rewrapChainKey(tx: TransactionSQL, rewraps: Rewraps): Promise<void> {
  const [row] = (await tx.unsafe("SELECT id, sealed FROM chain_key")) as { id: string; sealed: Uint8Array }[];
  if (row) await tx.unsafe("UPDATE chain_key SET sealed = $1", [rewraps.chainKey(row.sealed, row.id)]);
}

async function rewrapRemembered(tx: TransactionSQL, rewraps: Rewraps): Promise<number> {
  const rows = (await tx.unsafe("SELECT scope, key, sealed_answer FROM remembered_answers")) as {
    scope: string;
    key: string;
    sealed_answer: Uint8Array;
  }[];
  for (const { scope, key, sealed_answer } of rows) {
    const sealed = rewraps.rememberedAnswer(sealed_answer, { scope, key });
    const write = sealed
      ? tx.unsafe("UPDATE remembered_answers SET sealed_answer = $1 WHERE scope = $2 AND key = $3", [
          sealed,
          scope,
          key,
        ])
      : tx.unsafe("DELETE FROM remembered_answers WHERE scope = $1 AND key = $2", [scope, key]);
    await write;
  }
  return rows.length;
}

/** In slices: a day's answers may be more than fits the memory. */
const SLICE = 500;

async function rewrapRecorded(tx: TransactionSQL, rewraps: Rewraps): Promise<number> {
  let count = 0;
  let last: readonly [string, string] = ["", ""];
  for (;;) {
    const rows = (await tx.unsafe(
      `SELECT vault_key_id, slot, sealed_answer FROM recorded_calls
       WHERE (vault_key_id, slot) > ($1, $2) AND sealed_answer IS NOT NULL ORDER BY vault_key_id, slot LIMIT $3`,
      [...last, SLICE],
    )) as { vault_key_id: string; slot: string; sealed_answer: Uint8Array }[];
    for (const { vault_key_id, slot, sealed_answer } of rows) {
      const sealed = rewraps.recordedAnswer(sealed_answer);
      if (!sealed) continue;
      const write = "UPDATE recorded_calls SET sealed_answer = $1 WHERE vault_key_id = $2 AND slot = $3";
      await tx.unsafe(write, [sealed, vault_key_id, slot]);
    }
    const end = rows.at(-1);
    if (!end) return count;
    count += rows.length;
    last = [end.vault_key_id, end.slot];
  }
}
