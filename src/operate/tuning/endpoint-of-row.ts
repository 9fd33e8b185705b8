import type { AuditRow } from "../../audit/row.ts";
import type { Method } from "../../core/call.ts";
import { matchesRoute, parseRoute } from "../../core/route.ts";
import type { Operation } from "../../vendors/vendor.ts";

export type RowEndpoint =
  | { readonly ok: true; readonly text: string }
  /** Why no narrow endpoint allows the call, as a half sentence. */
  | { readonly ok: false; readonly why: string };

/** The endpoint that allows the recorded call and its likes: ids are `*`, and nothing else is. */
export function endpointOfRow(operation: Operation, row: AuditRow): RowEndpoint {
  if (operation.class === "unknown") return { ok: false, why: operation.reason ?? "may move money" };
  if (operation.class === "closed") {
    // Only its exact name opens it, and a family's name has `**` or any method in it.
    const isNarrow = !operation.route.startsWith("*") && !operation.route.endsWith("**");
    return isNarrow
      ? { ok: true, text: operation.route }
      : { ok: false, why: `only the name of its whole family opens it: "${operation.route}"` };
  }
  const recorded = `${row.method} ${row.endpoint}`;
  return { ok: true, text: isNarrowFor(recorded, row) ? recorded : `${row.method} ${literalPath(row.path)}` };
}

function isNarrowFor(text: string, { method, path }: AuditRow): boolean {
  return !text.includes("**") && isRoute(text) && matchesRoute(parseRoute(text), method as Method, path);
}

/** The path itself, with `*` for the segments that an endpoint cannot spell. */
function literalPath(path: string): string {
  const segments = path.slice(1).split("/");
  return `/${segments.map((segment) => (isLiteral(segment) ? segment : "*")).join("/")}`;
}

function isLiteral(segment: string): boolean {
  return !segment.includes("*") && isRoute(`GET /${segment}`);
}

function isRoute(text: string): boolean {
  try {
    parseRoute(text);
    return true;
  } catch {
    return false;
  }
}
