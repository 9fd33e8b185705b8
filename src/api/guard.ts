import { type Config, isLoopback } from "../config.ts";
import { isAddress } from "../core/address.ts";
import { ApiProblem, InvalidFields } from "./api-problem.ts";
import { isOverTls } from "./session-cookie.ts";

/** Asked by whatever address a machine is watched at; they say nothing but whether it lives. */
const PROBES: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/**
 * What a web page in the operator's browser must not get through (DNS rebinding: a name of the attacker's that leads here;
 * CSRF: a form or script of another site). Bodies are JSON and said to be, which no form can do.
 * @throws ApiProblem 421 for another Host than ours, 403 for another Origin, 415 for another body than JSON.
 */
export function guard(config: Config, request: Request): void {
  const { pathname } = new URL(request.url);
  const host = (request.headers.get("host") ?? "").toLowerCase();
  if (!PROBES.has(pathname) && !isOurs(config, hostName(host))) {
    throw new ApiProblem(
      421,
      "forbidden",
      `this server does not answer to the name ${JSON.stringify(host.slice(0, 100))}`,
      "use the address it listens on, or set public_url in keybrake.yaml to the name it is reached by",
    );
  }
  const origin = request.headers.get("origin");
  if (origin !== null && !isSameOrigin(config, request, origin.toLowerCase(), host)) {
    throw new ApiProblem(
      403,
      "forbidden",
      "requests of another site's pages are refused",
      "call from a program instead",
    );
  }
  refuseOtherBody(request);
}

/**
 * A cookie comes with whatever the browser sends here, so a request that stands on one must be a page's of our own: one
 * that changes something says so in `Origin` (judged by `guard`) or in `Sec-Fetch-Site`, which no script can set. A page at
 * another port of this host counts as the same site for SameSite, and is refused here for reads, too.
 * @throws ApiProblem 403
 */
export function refuseForeignUse(request: Request): void {
  const site = request.headers.get("sec-fetch-site");
  const reads = request.method === "GET" || request.method === "HEAD";
  const isForeign = site !== null && site !== "same-origin" && !(reads && site === "none");
  const isOwn = site === "same-origin" || request.headers.has("origin");
  if (!isForeign && (reads || isOwn)) return;
  throw new ApiProblem(
    403,
    "forbidden",
    isForeign ? "a session is for the dashboard's own pages" : "a session's changes come with their Origin",
    "programs send Authorization: Bearer instead of a cookie",
  );
}

/**
 * A parameter that is given twice is read as the first by some and as the last by others.
 * @throws InvalidFields
 */
export function refuseRepeatedParameters(request: Request): void {
  const seen = new Set<string>();
  const repeated = [...new URL(request.url).searchParams.keys()].find((name) => seen.size === seen.add(name).size);
  if (repeated === undefined) return;
  const field = repeated.slice(0, 60);
  throw new InvalidFields([{ field, message: `${JSON.stringify(field)} is given more than once; give it once` }]);
}

function isOurs(config: Config, name: string | undefined): boolean {
  if (name === undefined) return false;
  const listens = [config.listen, ...(config.adminListen ? [config.adminListen] : [])].map(({ host }) => host);
  if (isLoopback(name) || listens.some((host) => host.toLowerCase() === name)) return true;
  // Listening everywhere means any of the machine's addresses; an address cannot be rebound, a name can.
  const everywhere = listens.some((host) => host === "0.0.0.0" || host === "::");
  return (everywhere && isAddress(name)) || name === new URL(config.publicUrl).hostname.replace(/^\[|\]$/g, "");
}

/** The name without port and brackets; undefined where it is none (two Host headers, `a#`, a user name). */
function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?$/.exec(host);
  return match?.[1] ?? match?.[2];
}

/**
 * By host and port. A TLS proxy in front makes the page https where this server sees http, and never the other way round:
 * where browsers come by TLS, a page that came in clear may have been written on its way; but for this machine's own names.
 */
function isSameOrigin(config: Config, request: Request, origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { host: from, hostname, protocol } = new URL(origin);
  if (protocol !== "http:" && protocol !== "https:") return false;
  const isLocal = !config.tls && isLoopback(hostname.replace(/^\[|\]$/g, ""));
  if (protocol === "http:" && !isLocal && isOverTls(config, request)) return false;
  const asked = URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : undefined;
  return from === asked || from === new URL(config.publicUrl).host;
}

function refuseOtherBody(request: Request): void {
  if (request.body === null) return;
  const type = request.headers.get("content-type") ?? "";
  if (/^application\/json *(?:;|$)/i.test(type)) return;
  const got = type === "" ? "no Content-Type" : `Content-Type ${JSON.stringify(type.slice(0, 60))}`;
  throw new ApiProblem(415, "invalid", `the body comes with ${got}`, "send JSON with Content-Type: application/json");
}
