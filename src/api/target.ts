import type { Verdict } from "../core/verdict.ts";

/**
 * Why a raw target is not read: where a URL parser makes another path of it (dots, backslashes, a fragment, a whole URL),
 * or a router in front might, what is decided by one spelling would be served by the other.
 */
export function targetRejection(target: string): { readonly code: Verdict; readonly message: string } | undefined {
  const path = target.split("?", 1)[0]!;
  const isOneSpelling = !/[/]{2}|#|%(?:2e|2f|5c)/i.test(path) && !target.includes("#");
  if (path.startsWith("/") && isOneSpelling && parsedPath(path) === path) return undefined;
  return { code: "request_rejected", message: "The path can be read in two ways; give it in its plain form." };
}

function parsedPath(path: string): string | undefined {
  const text = `http://keybrake.internal${path}`;
  return URL.canParse(text) ? new URL(text).pathname : undefined;
}
