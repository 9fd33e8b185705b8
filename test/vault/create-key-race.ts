/**
 * One of the processes that race for the master key (see master-key.test.ts). For each directory it says that it is
 * ready, waits for a line, and prints whether it won and the id of the key that is there then.
 */
import { Problem } from "../../src/core/problem.ts";
import { createMasterKey, loadMasterKey } from "../../src/vault/master-key.ts";

const lines = console[Symbol.asyncIterator]();
process.stdout.write("ready\n");
for (const dataDir of process.argv.slice(2)) {
  await lines.next();
  process.stdout.write(`${outcomeIn(dataDir)}\n`);
}

function outcomeIn(dataDir: string): string {
  const places = { dataDir, candidates: [] };
  try {
    return `won ${createMasterKey(places).id}`;
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "conflict") throw error;
    return `lost ${loadMasterKey(places).id}`;
  }
}
