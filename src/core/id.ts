import { randomBytes } from "node:crypto";
import type { EpochMs } from "./window.ts";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's base 32: no i, l, o, u

/** What four characters can count. */
const SEQUENCE_MAX = 32 ** 4 - 1;

let lastMs = 0;
let sequence = 0;

/**
 * A time-ordered id: `prefix_` + 10 characters of milliseconds + 4 of a per-process sequence + 8 random ones (40 bits).
 * Ids made by one process sort in the order in which they were made, also when the clock steps back.
 */
export function timeOrderedId(prefix: string, now: EpochMs): string {
  if (now > lastMs) {
    lastMs = now;
    sequence = 0;
  } else if (sequence < SEQUENCE_MAX) {
    sequence += 1;
  } else {
    // A clock that was set back an hour stands still for an hour: run ahead of it rather than start the count again.
    lastMs += 1;
    sequence = 0;
  }
  return `${prefix}_${base32(lastMs, 10)}${base32(sequence, 4)}${randomBase32()}`;
}

/** Sorts before every id with this prefix that was made at `time` or later. */
export function idFloor(prefix: string, time: EpochMs): string {
  return `${prefix}_${base32(Math.max(0, time), 10)}`;
}

function base32(value: number, width: number): string {
  let rest = value;
  let text = "";
  for (let i = 0; i < width; i++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

let pool = new Uint8Array(0);
let poolOffset = 0;

function randomBase32(): string {
  if (poolOffset + 8 > pool.length) {
    pool = randomBytes(4096);
    poolOffset = 0;
  }
  let text = "";
  for (let i = 0; i < 8; i++) text += ALPHABET[pool[poolOffset + i]! & 31];
  poolOffset += 8;
  return text;
}
