import { createReadStream, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { verifyExport } from "../audit/verify-export.ts";
import { formatUsd } from "../core/money.ts";
import { fileProblem } from "../vault/private-file.ts";
import type { ExportVerdictView } from "./audit-chain-verbs.ts";

/**
 * Checks an exported file without the database.
 * @param key of the chain; without it hashes and signature are taken as they stand, and only links and sums are checked.
 */
export async function verifyExportFile(path: string, key: Uint8Array | undefined): Promise<ExportVerdictView> {
  const { rows, costMicros, complete, keyed, finding } = await verifyExport(linesOf(path), key);
  return {
    ok: finding === undefined,
    rows,
    sum_usd: formatUsd(costMicros),
    complete,
    hashes_checked: keyed,
    finding: finding ?? null,
  };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const input = createReadStream(path, { fd: opened(path) });
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) yield `${line}\n`;
  } finally {
    input.destroy();
  }
}

function opened(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw fileProblem("cannot read the export", path, cause);
  }
}
