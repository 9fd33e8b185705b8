import { Elysia } from "elysia";
import { Problem } from "../core/problem.ts";
import { type DashboardFile, dashboardFiles } from "./dashboard-files.ts";
import { ELYSIA } from "./setting.ts";

/**
 * Nothing but the page's own files runs, styles or is asked: a label, a customer or a vendor's answer that reads like HTML
 * stays text even where the page should fail to treat it as such.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const HEADERS = {
  "content-security-policy": PAGE_POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
} as const;

/** The page may be looked up again, its files never change under their names. */
const PAGE_CACHE = "no-cache";
const ASSET_CACHE = "public, max-age=31536000, immutable";

/** The web page for operators. Its files hold nothing of anybody: what it shows it asks the API for, with a token. */
export function dashboardController() {
  return new Elysia(ELYSIA)
    .get(
      "/dashboard",
      async ({ request }) => {
        // Its files are named beside it, and so its own path ends with a slash.
        if (!new URL(request.url).pathname.endsWith("/")) return redirect("dashboard/");
        return answer((await dashboardFiles()).page, request, PAGE_CACHE);
      },
      { detail: { hide: true } },
    )
    .get(
      "/dashboard/:file",
      async ({ params, request }) => {
        const file = (await dashboardFiles()).assets.get(params.file);
        if (!file) throw new Problem("not_found", "the dashboard has no such file", "load the page again: /dashboard/");
        return answer(file, request, ASSET_CACHE);
      },
      { detail: { hide: true } },
    );
}

/** Whether a request is a browser's for a page, and not a program's. */
export function wantsPage(request: Request): boolean {
  return /(?:^|,)\s*text\/html\b/i.test(request.headers.get("accept") ?? "");
}

/** Relative, so that it also fits below a proxy's path. */
export function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location, "cache-control": "no-store" } });
}

function answer(file: DashboardFile, request: Request, cache: string): Response {
  const headers = { ...HEADERS, "cache-control": cache, etag: file.etag, vary: "accept-encoding" };
  if (request.headers.get("if-none-match") === file.etag) return new Response(null, { status: 304, headers });
  const isPacked = /\bgzip\b/i.test(request.headers.get("accept-encoding") ?? "");
  const packed = isPacked ? { "content-encoding": "gzip" } : {};
  return new Response(isPacked ? file.gzipped : file.bytes, {
    headers: { ...headers, ...packed, "content-type": file.type },
  });
}
