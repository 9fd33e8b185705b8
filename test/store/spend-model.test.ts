import { expect, test } from "bun:test";
import { isPostgresHere } from "../harness/postgres.ts";
import { startWorker } from "./worker.ts";

/** How many handles share the store, and how many histories are played. */
const PLAYED: readonly (readonly [store: string, handles: number, histories: number])[] = [
  ["sqlite", 2, 8],
  ["postgres", 1, 1],
  ["postgres", 3, 1],
];

test.each(PLAYED.filter(([store]) => store === "sqlite" || isPostgresHere()))(
  "reports of spending on %s, handles: %i, say what the rows say, group by group and in total, in random histories with and without retention",
  async (store, handles, histories) => {
    const worker = startWorker("spend-histories.ts", store, String(handles), "1", String(histories));
    const played = await worker.rest();
    expect([await worker.exited, played.length]).toEqual([0, histories]);
  },
  120_000,
);
