import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { compileShim } from "./shim.ts";

/** Numbers of the C library on Linux. */
export const ERRNO = { EIO: 5, ENOSPC: 28, EROFS: 30 } as const;
export type ErrnoName = keyof typeof ERRNO;

export interface Fault {
  /** The operation that fails, from 1; 0 for none. */
  readonly at: number;
  readonly error: ErrnoName;
  /** And every one after it. */
  readonly forever: boolean;
  /** Only the database file's own operations count: those of a checkpoint. */
  readonly mainOnly?: boolean;
  /** A write that fails has written its first half. */
  readonly torn?: boolean;
}

/** Fails writes and syncs of a server's database files (fault-shim.c). */
export interface FaultShim {
  /** What the server has to be started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Counts from 1 from now on. */
  arm(fault: Fault): void;
  disarm(): void;
  /** Writes, syncs and truncations since it was armed. */
  seen(): number;
  failed(): number;
  remove(): void;
}

const FIELDS = { armed: 0, at: 1, error: 2, forever: 3, seen: 4, failed: 5, mainOnly: 6, torn: 7 } as const;
const INT_BYTES = 4;

/** Compiles the shim. @throws where the compiler refuses it. */
export function makeFaultShim(): FaultShim {
  const { folder, library, remove } = compileShim("fault-shim");
  const path = join(folder, "control");
  const fieldCount = Object.keys(FIELDS).length;
  writeFileSync(path, new Uint8Array(fieldCount * INT_BYTES));
  const file = openSync(path, "r+");
  const set = (name: keyof typeof FIELDS, value: number) => {
    writeSync(file, new Uint8Array(new Int32Array([value]).buffer), 0, INT_BYTES, FIELDS[name] * INT_BYTES);
  };
  const get = (name: keyof typeof FIELDS) => {
    const bytes = Buffer.alloc(INT_BYTES);
    readSync(file, bytes, 0, INT_BYTES, FIELDS[name] * INT_BYTES);
    return bytes.readInt32LE(0);
  };
  return {
    environment: { LD_PRELOAD: library, ASSURANCE_FAULTS: path },
    arm: ({ at, error, forever, mainOnly = false, torn = false }) => {
      set("armed", 0);
      set("at", at);
      set("error", ERRNO[error]);
      set("forever", Number(forever));
      set("mainOnly", Number(mainOnly));
      set("torn", Number(torn));
      set("seen", 0);
      set("failed", 0);
      set("armed", 1);
    },
    disarm: () => set("armed", 0),
    seen: () => get("seen"),
    failed: () => get("failed"),
    remove: () => {
      closeSync(file);
      remove();
    },
  };
}
