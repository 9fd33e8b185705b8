import type { AuditExport } from "../operate/audit-chain-verbs.ts";
import type { AuditFilter } from "../store/store.ts";
import type { ApiSetting } from "./setting.ts";

const TYPES = {
  ndjson: "application/x-ndjson; charset=utf-8",
  csv: "text/csv; charset=utf-8; header=present",
} as const;

/**
 * Final rows as one file, oldest first, read piece by piece as the client takes them, so that ten million rows need no
 * more memory than a thousand. The first piece is read before the answer begins: what is wrong by then has a status to say
 * so.
 */
export async function exportAudit(
  { control }: ApiSetting,
  filter: AuditFilter,
  format: keyof typeof TYPES,
  isFramed: boolean,
): Promise<Response> {
  const made = control.exportAudit({ filter, format });
  const chunks = (isFramed ? frames(made) : made.chunks)[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let next = await chunks.next();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      if (next.done) return controller.close();
      controller.enqueue(encoder.encode(next.value));
      next = await chunks.next();
      if (next.done) controller.close();
    },
    cancel: async () => {
      await chunks.return?.();
    },
  });
  if (isFramed) return new Response(body, { headers: { "content-type": TYPES.ndjson } });
  const disposition = `attachment; filename="keybrake-audit.${format}"`;
  return new Response(body, { headers: { "content-type": TYPES[format], "content-disposition": disposition } });
}

/** The pieces as JSON texts, a line each, and then what a check of the file needs: so a reader sees that it has all of it. */
async function* frames({ chunks, heads }: AuditExport): AsyncGenerator<string> {
  for await (const chunk of chunks) yield `${JSON.stringify(chunk)}\n`;
  yield `${JSON.stringify(heads())}\n`;
}
