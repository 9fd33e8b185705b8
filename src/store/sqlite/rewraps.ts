import type { Database } from "bun:sqlite";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import type { Rewrapped, Rewraps } from "../rewraps.ts";

interface VendorRow {
  readonly name: string;
  readonly secret_id: string;
  readonly version: bigint;
  readonly sealed_secret: Uint8Array;
}

/** As `RekeyVerbs.rewrapSealed`, in one transaction. */
export function rewrapSealed(database: Database, rewraps: Rewraps, now: EpochMs): Rewrapped {
  return database
    .transaction(() => {
      refuseServer(database, now);
      const vendorSecrets = rewrapVendors(database, rewraps);
      rewrapChainKey(database, rewraps);
      return { vendorSecrets, answers: rewrapRemembered(database, rewraps) + rewrapRecorded(database, rewraps) };
    })
    .immediate();
}

/** `probe` is what `doctor` writes to see whether it can. */
function refuseServer(database: Database, now: EpochMs): void {
  const living = database
    .query<{ owner: string }, [EpochMs]>("SELECT owner FROM leases WHERE until > ? AND owner <> 'probe' LIMIT 1")
    .get(now);
  if (!living) return;
  throw new Problem(
    "conflict",
    `the server ${living.owner} runs on this store, or was killed within the last 15 seconds`,
    "stop every server first: a running one keeps the old master key",
  );
}

function rewrapVendors(database: Database, rewraps: Rewraps): number {
  const write = database.query("UPDATE vendors SET sealed_secret = ? WHERE name = ?");
  const rows = database
    .query<VendorRow, []>("SELECT name, secret_id, version, sealed_secret FROM vendors WHERE sealed_secret IS NOT NULL")
    .all();
  for (const { name, secret_id: secretId, version, sealed_secret } of rows) {
    write.run(rewraps.vendorSecret(sealed_secret, { name, secretId, version: Number(version) }), name);
  }
  return rows.length;
}

function rewrapChainKey(database: Database, rewraps: Rewraps): void {
  const row = database.query<{ id: string; sealed: Uint8Array }, []>("SELECT id, sealed FROM chain_key").get();
  if (row) database.query("UPDATE chain_key SET sealed = ?").run(rewraps.chainKey(row.sealed, row.id));
}

function rewrapRemembered(database: Database, rewraps: Rewraps): number {
  const write = database.query("UPDATE remembered_answers SET sealed_answer = ? WHERE scope = ? AND key = ?");
  const forget = database.query("DELETE FROM remembered_answers WHERE scope = ? AND key = ?");
  const rows = database
    .query<{ scope: string; key: string; sealed_answer: Uint8Array }, []>(
      "SELECT scope, key, sealed_answer FROM remembered_answers",
    )
    .all();
  for (const { scope, key, sealed_answer } of rows) {
    const sealed = rewraps.rememberedAnswer(sealed_answer, { scope, key });
    if (sealed) write.run(sealed, scope, key);
    else forget.run(scope, key);
  }
  return rows.length;
}

/** In slices: a day's answers may be more than fits the memory. */
const SLICE = 500;

function rewrapRecorded(database: Database, rewraps: Rewraps): number {
  interface Row {
    readonly vault_key_id: string;
    readonly slot: string;
    readonly sealed_answer: Uint8Array;
  }
  const write = database.query("UPDATE recorded_calls SET sealed_answer = ? WHERE vault_key_id = ? AND slot = ?");
  const next = database.query<Row, [string, string, number]>(
    `SELECT vault_key_id, slot, sealed_answer FROM recorded_calls
     WHERE (vault_key_id, slot) > (?, ?) AND sealed_answer IS NOT NULL ORDER BY vault_key_id, slot LIMIT ?`,
  );
  let count = 0;
  let last: readonly [string, string] = ["", ""];
  for (let rows = next.all(...last, SLICE); rows.length > 0; rows = next.all(...last, SLICE)) {
    for (const { vault_key_id, slot, sealed_answer } of rows) {
      const sealed = rewraps.recordedAnswer(sealed_answer);
      // One that nothing opens stays: the repeat is refused as it was, and never sent a second time for it.
      if (sealed) write.run(sealed, vault_key_id, slot);
    }
    count += rows.length;
    last = [rows.at(-1)!.vault_key_id, rows.at(-1)!.slot];
  }
  return count;
}
