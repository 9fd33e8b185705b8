import { expect, test } from "bun:test";
import { CAP_RACE, REPLICA_CAP_RACE } from "../../scripts/assurance/cap-race.ts";
import { DISK_RUNS } from "../../scripts/assurance/disk-runs.ts";
import { FAULT_RUNS } from "../../scripts/assurance/fault-runs.ts";
import { FILE_RUNS } from "../../scripts/assurance/file-runs.ts";
import { HISTORY_RUNS } from "../../scripts/assurance/history-runs.ts";
import { KILL_RUNS } from "../../scripts/assurance/kill-runs.ts";
import { PARSER_RUNS } from "../../scripts/assurance/parser-runs.ts";
import { REPLICA_FAULT_RUNS } from "../../scripts/assurance/replica-faults.ts";
import { REPLICA_REVOKE_RUNS, REVOKE_RUNS } from "../../scripts/assurance/revoke-runs.ts";
import type { Section } from "../../scripts/assurance/section.ts";

/** A small slice of `bun run assurance` on every run of the suite; the seed is printed where it finds something. */
const SLICES: readonly (readonly [guarantee: string, section: Section, count: number])[] = [
  ["keeps every hold and row over kill -9 under load", KILL_RUNS, 10],
  ["forwards no call without its row when writes and syncs fail, and recovers by itself", FAULT_RUNS, 20],
  ["answers 503 while the disk is full, and recovers by itself when it is freed", DISK_RUNS, 1],
  ["stops within a second when its database is deleted, moved, replaced or corrupt", FILE_RUNS, 8],
  ["never overspends a cap that eight servers on one data directory race for", CAP_RACE, 3],
  ["forwards no call that is sent after a revoke has returned", REVOKE_RUNS, 15],
  ["keeps every hold and row when replicas, their PostgreSQL or the way to it break under load", REPLICA_FAULT_RUNS, 7],
  ["never overspends a cap that three replicas race for", REPLICA_CAP_RACE, 2],
  ["forwards no call to any of three replicas that is sent after a revoke has returned", REPLICA_REVOKE_RUNS, 6],
  ["accepts no form, JSON or path that another parser reads differently", PARSER_RUNS, 10_000],
  ["keeps every invariant of the ledger after every step of a random history", HISTORY_RUNS, 10],
];

test.each(SLICES)(
  "%s",
  async (_, section, count) => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const { violations, skipped, figures } = await section.run({ count, seed, onProgress: () => {} });
    const left = skipped ?? Object.values(figures).find((figure) => String(figure).startsWith("skipped"));
    if (left !== undefined) console.log(`${section.name}: ${left}`);
    expect({ seed, violations }).toEqual({ seed, violations: [] });
  },
  120_000,
);
