import type { Database } from "bun:sqlite";
import type { EpochMs } from "../../core/window.ts";
import { leaveObject, UNTOUCHED, type VendorObject } from "../../ledger/object.ts";

interface ObjectRow {
  readonly version: bigint;
  readonly held_by: string | null;
  readonly remembered: string | null;
}

/** For how long an object is known: an authorisation waits for its capture for a week at most, and some hours. */
const KNOWN_MS = 8 * 24 * 3600 * 1000;
/** Objects that one purge forgets at most: a call may be waiting for the same lock. */
const PURGED_MAX = 1000;

/** The vendors' objects that a batch touches: read once, changed in memory, written once. */
export class TouchedObjects extends Map<string, VendorObject> {
  readonly #statements: ReturnType<typeof prepareVendorObjects>;
  readonly #stored = new Map<string, VendorObject>();

  constructor(statements: ReturnType<typeof prepareVendorObjects>) {
    super();
    this.#statements = statements;
  }

  load(name: string): void {
    if (this.#stored.has(name)) return;
    const object = readVendorObject(this.#statements, name);
    this.#stored.set(name, object);
    this.set(name, object);
  }

  /** A call has ended without those who know its object: withdrawn, or resolved later or by somebody else. */
  leaveUnseen(callId: string): void {
    for (const { name } of this.#statements.heldBy.all(callId)) this.load(name);
    for (const name of this.keys()) leaveObject(this, name, callId, null);
  }

  save(now: EpochMs): void {
    for (const [name, object] of this) {
      if (object === this.#stored.get(name)) continue;
      this.#statements.write.run(name, object.version, object.heldBy, object.remembered, now);
    }
  }
}

export function readVendorObject(statements: ReturnType<typeof prepareVendorObjects>, name: string): VendorObject {
  const row = statements.read.get(name);
  if (!row) return UNTOUCHED;
  return { version: Number(row.version), heldBy: row.held_by, remembered: row.remembered };
}

export function prepareVendorObjects(database: Database) {
  return {
    read: database.query<ObjectRow, [string]>("SELECT version, held_by, remembered FROM vendor_objects WHERE name = ?"),
    heldBy: database.query<{ name: string }, [string]>("SELECT name FROM vendor_objects WHERE held_by = ?"),
    write: database.query<unknown, [string, number, string | null, string | null, EpochMs]>(
      `INSERT INTO vendor_objects (name, version, held_by, remembered, touched_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET version = excluded.version, held_by = excluded.held_by,
         remembered = excluded.remembered, touched_at = excluded.touched_at`,
    ),
    purge: database.query<unknown, [EpochMs]>(
      `DELETE FROM vendor_objects WHERE name IN (
         SELECT name FROM vendor_objects WHERE touched_at <= ? - ${KNOWN_MS} AND held_by IS NULL LIMIT ${PURGED_MAX})`,
    ),
  };
}
