import type { Route } from "../core/route.ts";

/**
 * Whether every call that `inner` matches is matched by `outer` too. Never true wrongly; false where it would take more
 * than a look at single segments to tell, so that narrowing errs towards refusing.
 */
export function covers(outer: Route, inner: Route): boolean {
  return coversMethod(outer, inner) && coversPath(outer.segments, inner.segments);
}

/** GET covers HEAD, as in `matchesRoute`; `*` is covered by `*` alone. */
function coversMethod(outer: Route, inner: Route): boolean {
  if (outer.method === "*" || outer.method === inner.method) return true;
  return outer.method === "GET" && inner.method === "HEAD";
}

function coversPath(outer: readonly string[], inner: readonly string[]): boolean {
  for (const [index, segment] of outer.entries()) {
    const given = inner[index];
    if (given === undefined) return false;
    if (segment === "**") return true;
    if (given === "**" || !coversSegment(segment, given)) return false;
  }
  return inner.length === outer.length;
}

/** `*` in a segment stands for at least one character, in both. */
function coversSegment(outer: string, inner: string): boolean {
  const star = outer.indexOf("*");
  if (star === -1) return outer === inner;
  const prefix = outer.slice(0, star);
  const suffix = outer.slice(star + 1);
  const innerStar = inner.indexOf("*");
  const head = innerStar === -1 ? inner : inner.slice(0, innerStar);
  const tail = innerStar === -1 ? inner : inner.slice(innerStar + 1);
  return inner.length >= outer.length && head.startsWith(prefix) && tail.endsWith(suffix);
}

/** Whether some call is matched by both. */
export function overlaps(a: Route, b: Route): boolean {
  const methods =
    a.method === "*" || b.method === "*" || a.method === b.method || isGetAndHead(a, b) || isGetAndHead(b, a);
  return methods && overlapsPath(a.segments, b.segments);
}

function isGetAndHead(get: Route, head: Route): boolean {
  return get.method === "GET" && head.method === "HEAD";
}

function overlapsPath(a: readonly string[], b: readonly string[]): boolean {
  for (let index = 0; ; index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined) return left === right;
    if (left === "**" || right === "**") return true;
    if (!overlapsSegment(left, right)) return false;
  }
}

function overlapsSegment(a: string, b: string): boolean {
  const [starA, starB] = [a.indexOf("*"), b.indexOf("*")];
  if (starA === -1) return coversSegment(b, a);
  if (starB === -1) return coversSegment(a, b);
  const [headA, headB] = [a.slice(0, starA), b.slice(0, starB)];
  const [tailA, tailB] = [a.slice(starA + 1), b.slice(starB + 1)];
  return (headA.startsWith(headB) || headB.startsWith(headA)) && (tailA.endsWith(tailB) || tailB.endsWith(tailA));
}
