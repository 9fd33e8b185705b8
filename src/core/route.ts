import { METHODS, type Method } from "./call.ts";

/**
 * `METHOD /path`: `*` is one segment (or the part of one before or after literal text, as in `*.json`), `**` as the last
 * segment is any rest of at least one segment, `*` as method is any method. Matching is case-sensitive.
 * Policies (`allowed_endpoints`) and vendors (operations) are written in this one grammar.
 */
export interface Route {
  readonly text: string;
  readonly method: Method | "*";
  readonly segments: readonly string[];
  /** The one path that a route without `*` covers, to be compared as a whole. */
  readonly literal: string | undefined;
}

const PATTERN = /^(\*|[A-Z]+) (\/\S*)$/;
const SEGMENT = /^(?:\*\*|[A-Za-z0-9._~!$&'()+,=:@%-]*\*?[A-Za-z0-9._~!$&'()+,=:@%-]*)$/;

/** @throws RangeError that names the pattern and what is wrong with it. */
export function parseRoute(text: string): Route {
  const match = PATTERN.exec(text.trim());
  if (!match) throw new RangeError(`"${text}" is not an endpoint like "POST /v1/charges" or "GET /v1/customers/*"`);
  const method = match[1]!;
  if (method !== "*" && !(METHODS as readonly string[]).includes(method)) {
    throw new RangeError(`"${text}" has the method ${method}; the methods are ${METHODS.join(", ")} and *`);
  }
  const segments = match[2]!.slice(1).split("/");
  for (const [index, segment] of segments.entries()) {
    if (segment === "" || segment === "." || segment === ".." || !SEGMENT.test(segment)) {
      throw new RangeError(`"${text}" has the segment "${segment}", which no forwarded path can have`);
    }
    if (segment === "**" && index !== segments.length - 1) {
      throw new RangeError(`"${text}" has ** before its end; it stands for the rest and must be last`);
    }
  }
  const path = `/${segments.join("/")}`;
  const literal = path.includes("*") ? undefined : path;
  return { text: `${method} ${path}`, method: method as Method | "*", segments, literal };
}

/** Whether the route covers `method` and `path` (product prefix included). GET covers HEAD, which is GET without the body (RFC 9110 §9.3.2). */
export function matchesRoute(route: Route, method: Method, path: string): boolean {
  const sameMethod = route.method === "*" || route.method === method || (route.method === "GET" && method === "HEAD");
  if (!sameMethod) return false;
  return route.literal === undefined ? matchesPath(route.segments, path) : route.literal === path;
}

function matchesPath(segments: readonly string[], path: string): boolean {
  let start = 1;
  for (let i = 0; i < segments.length; i++) {
    if (start > path.length) return false;
    const segment = segments[i]!;
    if (segment === "**") return start < path.length;
    const slash = path.indexOf("/", start);
    const end = slash === -1 ? path.length : slash;
    if (!matchesSegment(segment, path, start, end)) return false;
    start = end + 1;
  }
  return start > path.length;
}

function matchesSegment(pattern: string, path: string, start: number, end: number): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return end - start === pattern.length && path.startsWith(pattern, start);
  if (pattern.length === 1) return end > start;
  const suffix = pattern.slice(star + 1);
  return (
    end - start > pattern.length - 1 &&
    path.startsWith(pattern.slice(0, star), start) &&
    path.startsWith(suffix, end - suffix.length)
  );
}
