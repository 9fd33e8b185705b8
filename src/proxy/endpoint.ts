import type { Operation } from "../vendors/vendor.ts";

/** An id has a prefix and a digit or capital (`cus_9a`), or is long and has a digit, or is an address or number. */
const ID = /^(?:[a-z]{2,12}_(?=\w*[0-9A-Z])\w+|(?=.*[0-9])[A-Za-z0-9-]{12,}|.*(?:@|%40|\+|%2B).*|[0-9]{5,})$/;

// The path with ids replaced by `*`, so that rows of one endpoint group together: `/v1/payment_intents/*/confirm`.
export function endpointOf(path: string, operation: Operation | undefined): string {
  if (operation && !operation.route.endsWith("**")) return operation.route.slice(operation.route.indexOf("/"));
  return path.split("/").map(withoutId).join("/");
}

function withoutId(segment: string): string {
  const dot = segment.endsWith(".json") ? segment.length - 5 : segment.length;
  return ID.test(segment.slice(0, dot)) ? `*${segment.slice(dot)}` : segment;
}
