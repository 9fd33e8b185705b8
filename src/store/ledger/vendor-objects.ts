import type { EpochMs } from "../../core/window.ts";
import { leaveObject, UNTOUCHED, type VendorObject } from "../../ledger/object.ts";
import type { ObjectStatements } from "./statements.ts";

/** The vendors' objects that a batch touches: read once, changed in memory, written once. */
export class TouchedObjects extends Map<string, VendorObject> {
  readonly #statements: ObjectStatements;
  readonly #stored = new Map<string, VendorObject>();

  constructor(statements: ObjectStatements) {
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

export function readVendorObject(statements: ObjectStatements, name: string): VendorObject {
  const row = statements.read.get(name);
  if (!row) return UNTOUCHED;
  return { version: Number(row.version), heldBy: row.held_by, remembered: row.remembered };
}
