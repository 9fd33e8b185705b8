import type { ControlRole } from "../vault/control-token.ts";

/** Who may use a route: anyone without a token, the bearer of a vault key, or the bearer of a token with one of these roles. */
export type Access = "anyone" | "vault_key" | readonly ControlRole[];

export interface RouteRow {
  readonly method: string;
  /** As Elysia names it: `/vault/keys/:id`. */
  readonly path: string;
  readonly access: Access;
}

const ADMIN: Access = ["admin"];
const ISSUING: Access = ["admin", "issuer"];
const READING: Access = ["admin", "auditor"];
const ALL_ROLES: Access = ["admin", "issuer", "auditor"];

/**
 * Every route and who may use it: the one table. A route that is not in it is refused to everybody, and a test walks it
 * role by role. An issuer sees and touches only the keys that it issued; that is the control plane's own rule.
 */
export const ROUTES: readonly RouteRow[] = [
  { method: "GET", path: "/", access: "anyone" },
  { method: "GET", path: "/healthz", access: "anyone" },
  { method: "GET", path: "/readyz", access: "anyone" },
  // Unless `metrics.access` says otherwise: api/auth.ts.
  { method: "GET", path: "/metrics", access: "anyone" },
  { method: "GET", path: "/dashboard", access: "anyone" },
  { method: "GET", path: "/dashboard/:file", access: "anyone" },
  { method: "GET", path: "/docs", access: "anyone" },
  { method: "GET", path: "/docs/json", access: "anyone" },

  { method: "POST", path: "/session", access: "anyone" },
  { method: "GET", path: "/session", access: ALL_ROLES },
  { method: "DELETE", path: "/session", access: ALL_ROLES },

  { method: "GET", path: "/vault/self", access: "vault_key" },

  { method: "POST", path: "/vault/keys", access: ISSUING },
  { method: "GET", path: "/vault/keys", access: ALL_ROLES },
  { method: "POST", path: "/vault/keys/revoke", access: ISSUING },
  { method: "GET", path: "/vault/keys/:id", access: ALL_ROLES },
  { method: "PATCH", path: "/vault/keys/:id", access: ISSUING },
  { method: "DELETE", path: "/vault/keys/:id", access: ISSUING },
  { method: "GET", path: "/budgets", access: ALL_ROLES },

  { method: "GET", path: "/spend", access: ALL_ROLES },

  { method: "GET", path: "/audit", access: READING },
  { method: "GET", path: "/audit/totals", access: READING },
  { method: "GET", path: "/audit/verify", access: READING },
  { method: "POST", path: "/audit/verify", access: READING },
  { method: "GET", path: "/audit/export", access: READING },
  { method: "GET", path: "/audit/stream", access: READING },
  { method: "POST", path: "/audit/prune", access: ADMIN },
  { method: "POST", path: "/audit/:id/resolve", access: ISSUING },

  { method: "GET", path: "/vendors", access: ALL_ROLES },
  { method: "GET", path: "/vendors/:name/operations", access: ALL_ROLES },
  { method: "GET", path: "/vendors/:name/prices", access: ALL_ROLES },
  { method: "PUT", path: "/vendors/:name/secret", access: ADMIN },
  { method: "DELETE", path: "/vendors/:name/secret", access: ADMIN },
  { method: "POST", path: "/vendors/:name/test", access: ADMIN },

  { method: "GET", path: "/brake", access: READING },
  { method: "POST", path: "/brake", access: ADMIN },
  { method: "DELETE", path: "/brake", access: ADMIN },

  { method: "GET", path: "/tokens", access: ADMIN },
  { method: "POST", path: "/tokens", access: ADMIN },
  { method: "DELETE", path: "/tokens/:id", access: ADMIN },

  { method: "GET", path: "/policies", access: ALL_ROLES },
  { method: "GET", path: "/policies/:name", access: ALL_ROLES },
  { method: "POST", path: "/policies/explain", access: ALL_ROLES },
  // They tell what other keys did, as the audit does.
  { method: "POST", path: "/policies/replay", access: READING },
  { method: "POST", path: "/policies/suggest", access: READING },

  { method: "GET", path: "/alerts", access: READING },
  { method: "POST", path: "/alerts/test", access: ADMIN },

  { method: "GET", path: "/about", access: ALL_ROLES },
  { method: "GET", path: "/doctor", access: ADMIN },
];

/** Where the routes of keys stand; the first is canonical, the others are the same routes. */
export const KEY_PREFIXES = ["/vault/keys", "/v1/keys", "/keys"] as const;

/** Who may use the route that Elysia has found; undefined for one that is not in the table. */
export function accessOf(method: string, route: string): Access | undefined {
  return rowOf(method, route)?.access;
}

/** The row of a route under any of its names. */
export function rowOf(method: string, route: string): RouteRow | undefined {
  const path = canonical(route);
  return ROUTES.find((row) => row.method === method && row.path === path);
}

/**
 * The methods that a path can be asked with, HEAD beside GET; none where it is no path of a route. A name of its own
 * (`/vault/keys/revoke`) is no id.
 */
export function methodsOf(path: string): readonly string[] {
  const asked = canonical(path);
  const parts = asked.split("/");
  const fitting = ROUTES.filter((row) => {
    const own = row.path.split("/");
    return own.length === parts.length && own.every((part, at) => part.startsWith(":") || part === parts[at]);
  });
  const named = fitting.filter((row) => row.path === asked);
  const methods = (named.length > 0 ? named : fitting).map(({ method }) => method);
  return [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))];
}

/** A path of keys under its first name. */
function canonical(path: string): string {
  const alias = KEY_PREFIXES.slice(1).find((prefix) => path === prefix || path.startsWith(`${prefix}/`));
  return alias === undefined ? path : `${KEY_PREFIXES[0]}${path.slice(alias.length)}`;
}

const OPEN: ReadonlySet<string> = new Set(
  ROUTES.filter(({ access }) => access === "anyone").map(({ method, path }) => `${method} ${path}`),
);

/** Whether anyone may ask for `path`, for answering 401 before anything of a request is read. */
export function isOpen(method: string, path: string): boolean {
  return OPEN.has(`${method} ${path}`) || (method === "GET" && path.startsWith("/dashboard/"));
}

const CONTROL_SEGMENTS: ReadonlySet<string> = new Set(
  "vault keys audit spend budgets vendors brake tokens session policies dashboard about alerts doctor docs healthz readyz metrics".split(
    " ",
  ),
);

/**
 * Whether a request's path (raw, without its query) is the control plane's and not a call to a vendor. By the first
 * segment alone; `/v1` is Stripe's but for the keys. Case counts: what is spelled otherwise is no control path.
 */
export function isControlPath(path: string): boolean {
  if (path === "/") return true;
  const [, first = "", second] = path.split("/", 3);
  return first === "v1" ? second === "keys" : CONTROL_SEGMENTS.has(first);
}
