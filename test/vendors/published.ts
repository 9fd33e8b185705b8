import { readFileSync } from "node:fs";
import type { Method } from "../../src/core/call.ts";

/** One operation of a vendor's published API. */
export interface PublishedOperation {
  /** As the list has it: `GET /v1/charges/*`. */
  readonly line: string;
  readonly method: Method;
  /** With an id in the place of every `*`. */
  readonly path: string;
}

/** Every operation that the vendor has published; where the lists come from stands beside them. */
export function publishedOperations(vendorName: string): readonly PublishedOperation[] {
  const file = new URL(`./fixtures/operations/${vendorName}.txt`, import.meta.url);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => {
    const [method, path] = line.replaceAll("*", "x1").split(" ") as [Method, string];
    return { line, method, path };
  });
}
