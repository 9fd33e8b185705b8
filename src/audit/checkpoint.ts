import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import { CHAIN_HASH_BYTES, derivedKey } from "./chain.ts";
import { type ChainHead, sameBytes } from "./chained-row.ts";

/** Where the chain stood at one time, kept in another place than the chain: a tail that is cut off is seen by it. */
export interface Checkpoint extends ChainHead {
  readonly at: EpochMs;
  /**
   * True where an operator has accepted that the database is an older one, a restored backup say: what earlier
   * checkpoints say of later positions is void.
   */
  readonly restored: boolean;
}

interface Written {
  readonly count: number;
  readonly hash: string;
  readonly cost_micros: string;
  readonly at: string;
  readonly restored?: true;
  readonly signature: string;
}

/** One line of NDJSON, with its line feed, signed with a key that is derived from the chain's. */
export function writeCheckpoint(key: Uint8Array, checkpoint: Checkpoint): string {
  return `${JSON.stringify(checkpointView(key, checkpoint))}\n`;
}

export function checkpointView(key: Uint8Array, checkpoint: Checkpoint): Written {
  const { count, hash, costMicros, at, restored } = checkpoint;
  return {
    count,
    hash: Buffer.from(hash).toString("hex"),
    cost_micros: costMicros.toString(),
    at: new Date(at).toISOString(),
    ...(restored ? { restored } : {}),
    signature: Buffer.from(signature(key, checkpoint)).toString("hex"),
  };
}

/** The checkpoint in a line; undefined where it is none, or not signed with this installation's key. */
export function readCheckpoint(key: Uint8Array, line: string): Checkpoint | undefined {
  const written = parsed(line);
  if (!written) return undefined;
  const { count, hash, cost_micros, at, restored, signature: signed } = written;
  const checkpoint = {
    count,
    hash: Buffer.from(hash, "hex"),
    costMicros: cost_micros as Micros,
    at,
    restored,
  };
  const isOurs = sameBytes(Buffer.from(signed, "hex"), signature(key, checkpoint));
  return isOurs ? checkpoint : undefined;
}

function parsed(line: string) {
  let value: Partial<Record<keyof Written, unknown>>;
  try {
    value = (JSON.parse(line) ?? {}) as typeof value;
  } catch {
    return undefined;
  }
  const { count, hash, cost_micros, at, restored, signature: signed } = value;
  if (!Number.isSafeInteger(count) || !isHash(hash) || !isHash(signed)) return undefined;
  if (typeof cost_micros !== "string" || !/^-?[0-9]{1,30}$/.test(cost_micros)) return undefined;
  const time = typeof at === "string" ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(time)) return undefined;
  return {
    count: count as number,
    hash,
    cost_micros: BigInt(cost_micros),
    at: time,
    restored: restored === true,
    signature: signed,
  };
}

function isHash(value: unknown): value is string {
  return typeof value === "string" && value.length === 2 * CHAIN_HASH_BYTES && /^[0-9a-f]+$/.test(value);
}

function signature(key: Uint8Array, { count, hash, costMicros, at, restored }: Checkpoint): Uint8Array {
  const text = JSON.stringify([count, Buffer.from(hash).toString("hex"), costMicros.toString(), at, restored]);
  return new Bun.CryptoHasher("sha256", derivedKey(key, "checkpoint") as Buffer).update(text).digest();
}

/**
 * The checkpoints that are in force, by position: of those before one that accepts an older database, only the ones
 * that it has not overtaken.
 * @param written in the order of writing.
 */
export function checkpointsInForce(written: readonly Checkpoint[]): readonly Checkpoint[] {
  const kept: Checkpoint[] = [];
  for (const checkpoint of written) {
    while (checkpoint.restored && kept.length > 0 && kept.at(-1)!.count > checkpoint.count) kept.pop();
    kept.push(checkpoint);
    // Two servers on one installation write in turns; the order is all but right.
    for (let i = kept.length - 1; i > 0 && kept[i]!.count < kept[i - 1]!.count; i--) {
      [kept[i - 1], kept[i]] = [kept[i]!, kept[i - 1]!];
    }
  }
  return kept;
}
