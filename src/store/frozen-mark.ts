import type { Frozen, Lost } from "./backup-report.ts";

type WrittenLost = Omit<Lost, "spentMicros"> & { readonly spent_micros: string };

/** A mark that cannot be read freezes all the same. */
export function readFrozen(text: string): Frozen {
  try {
    const { since, why, backup_seq, lost } = JSON.parse(text) as {
      since: number;
      why: string;
      backup_seq: number;
      lost?: WrittenLost;
    };
    return { since, why, backupSeq: backup_seq, ...(lost ? { lost: readLost(lost) } : {}) };
  } catch {
    return { since: 0, why: text, backupSeq: 0 };
  }
}

function readLost({ spent_micros, ...lost }: WrittenLost): Lost {
  return { ...lost, spentMicros: BigInt(spent_micros) };
}
