import type { EpochMs } from "../../core/window.ts";
import {
  type RecordedCall,
  type RepeatOutcome,
  type RepeatSlot,
  type RepeatTerms,
  repeatKey,
} from "../../ledger/repeat.ts";
import type { RecordRow, RecordStatements } from "./statements.ts";

/** The recorded calls that a batch touches: read once, changed in memory, written once. */
export class Records extends Map<string, RecordedCall> {
  readonly #statements: RecordStatements;
  readonly #stored = new Map<string, RecordedCall | undefined>();

  constructor(statements: RecordStatements) {
    super();
    this.#statements = statements;
  }

  load(vaultKeyId: string, { slots }: Pick<RepeatTerms, "slots">): void {
    for (const { name } of slots) {
      const key = repeatKey(vaultKeyId, name);
      if (this.#stored.has(key)) continue;
      const row = this.#statements.read.get(vaultKeyId, name);
      const record = row ? recordOf(row) : undefined;
      this.#stored.set(key, record);
      if (record) this.set(key, record);
    }
  }

  /** A call has ended; what was recorded since by a later call stays. */
  end(vaultKeyId: string, slots: readonly RepeatSlot[], callId: string, outcome: RepeatOutcome): void {
    this.load(vaultKeyId, { slots });
    for (const { name } of slots) {
      const key = repeatKey(vaultKeyId, name);
      const record = this.get(key);
      if (record?.callId !== callId) continue;
      if (outcome === "free") this.delete(key);
      else if (outcome === "unknown") this.set(key, { ...record, state: "unknown" });
      else this.set(key, { ...record, state: "answered", answer: outcome });
    }
  }

  /** The call has ended without saying what came back: its repeats find it out, or may try where nothing was spent. */
  endUnseen(vaultKeyId: string, callId: string, isFree: boolean): void {
    this.#statements.loseAnswer.run(vaultKeyId, callId);
    if (isFree) this.#statements.freeHeldBy.run(vaultKeyId, callId);
    this.#reload(vaultKeyId);
  }

  /** An operator has said what it did cost: a repeat must not do it again to find that out. */
  endByHand(vaultKeyId: string, callId: string, isFree: boolean): void {
    const statement = isFree ? this.#statements.freeHeldBy : this.#statements.forgetVendorKey;
    statement.run(vaultKeyId, callId);
    this.#reload(vaultKeyId);
  }

  /** Whether a repeat is on its way to find out what became of the call. */
  isLookedUp(vaultKeyId: string, callId: string): boolean {
    return this.#statements.lookUp.get(vaultKeyId, callId, callId) !== null;
  }

  /** After a statement that changed rows of this key; what this batch has changed itself stands. */
  #reload(vaultKeyId: string): void {
    // Over a copy: what is read again stands at the end of the map, and would be met again for ever.
    for (const [key, stored] of [...this.#stored]) {
      if (!key.startsWith(`${vaultKeyId} `) || this.get(key) !== stored) continue;
      this.delete(key);
      this.#stored.delete(key);
      this.load(vaultKeyId, { slots: [{ name: key.slice(vaultKeyId.length + 1), lifeMs: 0 }] });
    }
  }

  save(): void {
    for (const [key, stored] of this.#stored) {
      const record = this.get(key);
      if (record === stored) continue;
      const space = key.indexOf(" ");
      const [vaultKeyId, slot] = [key.slice(0, space), key.slice(space + 1)];
      if (!record) this.#statements.delete.run(vaultKeyId, slot);
      else this.#write(vaultKeyId, slot, record);
    }
  }

  #write(vaultKeyId: string, slot: string, record: RecordedCall): void {
    const { requestHash, state, callId, heldBy, vendorKey, answer, expiresAt } = record;
    const sealed = answer ? answer.sealed : null;
    const status = answer ? answer.status : null;
    this.#statements.write.run(
      vaultKeyId,
      slot,
      requestHash,
      state,
      callId,
      heldBy,
      vendorKey,
      status,
      sealed,
      expiresAt,
    );
  }
}

function recordOf(row: RecordRow): RecordedCall {
  const answer =
    row.state === "answered" ? { status: Number(row.status), sealed: Uint8Array.from(row.sealed_answer!) } : null;
  return {
    requestHash: row.request_hash,
    state: row.state,
    callId: row.call_id,
    heldBy: row.held_by,
    vendorKey: row.vendor_key,
    answer,
    expiresAt: Number(row.expires_at),
  };
}

/** Whether a call that was recorded under this name still answers for its repeats. */
export function isRecorded(statements: RecordStatements, vaultKeyId: string, slotName: string, now: EpochMs): boolean {
  const row = statements.read.get(vaultKeyId, slotName);
  return row !== null && Number(row.expires_at) > now;
}
