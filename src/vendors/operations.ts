import type { Method } from "../core/call.ts";
import { isRead } from "../core/call.ts";
import { matchesRoute, parseRoute, type Route } from "../core/route.ts";
import type { Operation, Vendor } from "./vendor.ts";

interface Entry {
  readonly operation: Operation;
  readonly route: Route;
}

/** Operations by method and number of segments, so that a look-up touches a handful and not the vendor's whole list. */
interface OperationIndex {
  /** By method, then at the number of segments. */
  readonly byShape: Map<Method, (readonly Entry[] | undefined)[]>;
  readonly entries: readonly Entry[];
}

const INDEXES = new WeakMap<Vendor, OperationIndex>();

/**
 * The vendor's operation for a call: the first in its list whose route matches. A call that matches none is not free:
 * it gets an `unknown` operation of its own.
 */
export function operationOf(vendor: Vendor, method: Method, path: string): Operation {
  let index = INDEXES.get(vendor);
  if (!index) {
    index = buildIndex(vendor);
    INDEXES.set(vendor, index);
  }
  const candidates = candidatesFor(index, method, segmentCount(path));
  for (let i = 0; i < candidates.length; i++) {
    const { route, operation } = candidates[i]!;
    if (matchesRoute(route, method, path)) return operation;
  }
  return unlisted(method);
}

function candidatesFor({ byShape, entries }: OperationIndex, method: Method, segments: number): readonly Entry[] {
  let ofMethod = byShape.get(method);
  if (!ofMethod) {
    ofMethod = [];
    byShape.set(method, ofMethod);
  }
  const known = ofMethod[segments];
  if (known) return known;
  const candidates = entries.filter((entry) => fits(entry.route, method, segments));
  ofMethod[segments] = candidates;
  return candidates;
}

function buildIndex(vendor: Vendor): OperationIndex {
  const entries = vendor.operations.map((operation) => ({ operation, route: parseRoute(operation.route) }));
  return { entries, byShape: new Map() };
}

function fits(route: Route, method: Method, segments: number): boolean {
  const sameMethod = route.method === "*" || route.method === method || (route.method === "GET" && method === "HEAD");
  const open = route.segments.at(-1) === "**";
  return sameMethod && (open ? segments >= route.segments.length : segments === route.segments.length);
}

function segmentCount(path: string): number {
  let count = 0;
  for (let i = 0; i < path.length; i++) if (path.charCodeAt(i) === 47) count++;
  return count;
}

function unlisted(method: Method): Operation {
  return isRead(method) ? UNLISTED_READ : UNLISTED_WRITE;
}

const UNLISTED_READ: Operation = {
  name: "unlisted",
  route: "GET /**",
  class: "unknown",
  kind: "read",
  reason: "is not in this vendor's list of operations, so it is not known to be free",
};

const UNLISTED_WRITE: Operation = {
  name: "unlisted",
  route: "* /**",
  class: "unknown",
  kind: "write",
  reason: "is not in this vendor's list of operations, so it may move money",
};
