/**
 * Of every answer of the control plane, where it does not say otherwise itself. Answers hold keys and spending: no cache
 * keeps them, no browser guesses at their type, shows them in a frame, runs anything of them, lets another site's page
 * load them, or tells the next site where it was. There is no CORS header anywhere: no other origin may read.
 */
const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ["cache-control", "no-store"],
  ["x-content-type-options", "nosniff"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"],
  ["cross-origin-resource-policy", "same-origin"],
  ["cross-origin-opener-policy", "same-origin"],
  ["referrer-policy", "no-referrer"],
];

/** The same answer with the headers that it lacks. */
export function guarded(response: Response): Response {
  for (const [name, value] of HEADERS) if (!response.headers.has(name)) response.headers.set(name, value);
  return response;
}
