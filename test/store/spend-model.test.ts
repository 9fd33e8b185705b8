import { expect, test } from "bun:test";
import { startWorker } from "./worker.ts";

const HISTORIES = 8;

test("reports of spending say what the rows say, group by group and in total, in random histories with and without retention", async () => {
  const worker = startWorker("spend-histories.ts", "1", String(HISTORIES));
  const played = await worker.rest();
  expect([await worker.exited, played.length]).toEqual([0, HISTORIES]);
}, 60_000);
