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
): Promise<Response> {
  const chunks = control.exportAudit({ filter, format }).chunks[Symbol.asyncIterator]();
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
  const disposition = `attachment; filename="keybrake-audit.${format}"`;
  return new Response(body, { headers: { "content-type": TYPES[format], "content-disposition": disposition } });
}
