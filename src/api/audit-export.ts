import { CSV_HEADER, csvLine, ndjsonLine } from "../audit/present.ts";
import type { AuditPageView } from "../operate/control-plane.ts";
import type { AuditFilter } from "../store/store.ts";
import type { ApiSetting } from "./setting.ts";

const ROWS_PER_CHUNK = 1000;

const FORMATS = {
  ndjson: { type: "application/x-ndjson; charset=utf-8", header: "", line: ndjsonLine },
  csv: { type: "text/csv; charset=utf-8; header=present", header: CSV_HEADER, line: csvLine },
} as const;

/**
 * All rows as one file, oldest first, read page by page as the client takes them, so that ten million rows need no more
 * memory than a thousand. The first page is read before the answer begins: what is wrong by then has a status to say so.
 */
export async function exportAudit(
  { control }: ApiSetting,
  filter: AuditFilter,
  format: keyof typeof FORMATS,
): Promise<Response> {
  const { type, header, line } = FORMATS[format];
  const read = (after: string) => control.queryAudit(filter, { limit: ROWS_PER_CHUNK, after });
  const encoder = new TextEncoder();
  let page: AuditPageView | undefined = await read("0");
  let text: string = header;
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      if (!page) return controller.close();
      const { rows, newer_cursor } = page;
      text += rows.map(line).join("");
      if (text !== "") controller.enqueue(encoder.encode(text));
      text = "";
      page = rows.length < ROWS_PER_CHUNK || newer_cursor === null ? undefined : await read(newer_cursor);
      if (!page) controller.close();
    },
  });
  const disposition = `attachment; filename="keybrake-audit.${format}"`;
  return new Response(body, { headers: { "content-type": type, "content-disposition": disposition } });
}
