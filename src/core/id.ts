import { randomFillSync } from "node:crypto";
import type { EpochMs } from "./window.ts";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's base 32: no i, l, o, u
/** Two characters for each 10 bits: an id is put together from few pieces. */
const PAIRS: readonly string[] = Array.from({ length: 1024 }, (_, bits) => base32(bits, 2));

/** What four characters can count. */
const SEQUENCE_MAX = 32 ** 4 - 1;

let lastMs = 0;
let lastMsText = base32(lastMs, 10);
let sequence = 0;

/**
 * A time-ordered id: `prefix_` + 10 characters of milliseconds + 4 of a per-process sequence + 8 random ones (40 bits).
 * Ids made by one process sort in the order in which they were made, also when the clock steps back.
 */
export function timeOrderedId(prefix: string, now: EpochMs): string {
  if (now > lastMs) {
    lastMs = now;
    lastMsText = base32(lastMs, 10);
    sequence = 0;
  } else if (sequence < SEQUENCE_MAX) {
    sequence += 1;
  } else {
    // A clock that was set back an hour stands still for an hour: run ahead of it rather than start the count again.
    lastMs += 1;
    lastMsText = base32(lastMs, 10);
    sequence = 0;
  }
  return `${prefix}_${lastMsText}${PAIRS[sequence >> 10]}${PAIRS[sequence & 1023]}${randomBase32()}`;
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

const pool = new Uint16Array(2048);
let poolOffset = pool.length;

function randomBase32(): string {
  if (poolOffset === pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  let text = "";
  for (const end = poolOffset + 4; poolOffset < end; poolOffset++) text += PAIRS[pool[poolOffset]! & 1023];
  return text;
}
