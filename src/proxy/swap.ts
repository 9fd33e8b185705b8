import { hash } from "node:crypto";
import type { Call } from "../core/call.ts";
import type { LookUp } from "../vendors/vendor.ts";
import { bodyToken, withSecret } from "./body-credential.ts";
import type { AdmittedCall } from "./hold.ts";
import { spellings } from "./scrub.ts";
import type { VendorSetup } from "./vendor-desk.ts";

/** A request as the vendor will get it. Its headers hold the real secret: it is passed to `forward` and nowhere else. */
export interface UpstreamRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | undefined;
  /** What must never be in an answer: every spelling of the secret and of the forms in which the vendor is sent it. */
  readonly canaries: readonly string[];
  /** The client's own idempotency key and the derived one that the vendor gets. */
  readonly idempotencyKey: { readonly client: string | undefined; readonly sent: string } | undefined;
}

/** Headers that go to every vendor; the rest of the allow-list is the vendor's own. */
const COMMON_HEADERS = ["content-type", "accept", "user-agent"] as const;

/**
 * Takes the vault key off and puts the vendor's secret on. What was judged is not touched: path, query and body go as they
 * are, but for the one field in which some vendor's SDK repeats its credential.
 */
export function swap({ setup, call, facts, key, resumes }: AdmittedCall): UpstreamRequest {
  const { vendor } = setup;
  const headers: Record<string, string> = { "accept-encoding": "identity", "user-agent": "keybrake" };
  for (const name of COMMON_HEADERS) copyHeader(call, name, headers);
  for (const name of vendor.requestHeaders) copyHeader(call, name, headers);
  const own = idempotencyKeyFor(setup, call, key.id, facts.id);
  // What became of an earlier call the vendor says only under the key that it got with that one.
  const idempotencyKey = own && resumes ? { ...own, sent: resumes.vendorKey } : own;
  if (idempotencyKey) headers["idempotency-key"] = idempotencyKey.sent;
  const { credential, canaries } = written(setup);
  for (const [name, value] of credential) headers[name] = value;
  return {
    url: upstreamUrl(setup, call),
    method: call.method,
    headers,
    body: upstreamBody(setup, call),
    canaries,
    idempotencyKey,
  };
}

/** A read that Keybrake makes for itself; of the call it is made for it has the headers that say whose account it is. */
export function readRequest(setup: VendorSetup, lookUp: LookUp, call: Call | undefined): UpstreamRequest {
  const headers: Record<string, string> = { "accept-encoding": "identity", accept: "application/json" };
  headers["user-agent"] = "keybrake";
  if (call) for (const name of setup.vendor.requestHeaders) copyHeader(call, name, headers);
  if (lookUp.form !== "") headers["content-type"] = "application/x-www-form-urlencoded";
  const { credential, canaries } = written(setup);
  for (const [name, value] of credential) headers[name] = value;
  return {
    url: upstreamUrl(setup, lookUp),
    method: lookUp.method,
    headers,
    body: lookUp.form === "" ? undefined : Buffer.from(lookUp.form, "utf8"),
    canaries,
    idempotencyKey: undefined,
  };
}

function upstreamBody({ vendor, secret }: VendorSetup, call: Call): Uint8Array | undefined {
  if (call.body.length === 0) return undefined;
  const token = vendor.credentialBodyField === undefined ? undefined : bodyToken(vendor, call.json);
  return typeof token === "string" ? withSecret(call, token, secret!.reveal()) : call.body;
}

interface WrittenCredential {
  readonly credential: readonly (readonly [string, string])[];
  readonly canaries: readonly string[];
}

/** What a vendor may echo of its credential, in every spelling. */
export function canariesOf(setup: VendorSetup): readonly string[] {
  return written(setup).canaries;
}

/** By settings: a setup is replaced as a whole when its vendor's settings change. */
const WRITTEN = new WeakMap<VendorSetup, WrittenCredential>();

function written(setup: VendorSetup): WrittenCredential {
  const known = WRITTEN.get(setup);
  if (known) return known;
  const secret = setup.secret!.reveal();
  const { username, account, vendor } = setup;
  const headers = vendor.writeCredential({ secret, username, accountId: account.accountId });
  const credential = headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  const made = {
    credential,
    canaries: spellings([secret, ...headers.map(([, value]) => credentialOf(value))]),
  };
  WRITTEN.set(setup, made);
  return made;
}

/** Without its scheme; of Basic the pair itself, since its base64 is one of its spellings. */
function credentialOf(value: string): string {
  const credential = value.slice(value.indexOf(" ") + 1);
  return value.startsWith("Basic ") ? Buffer.from(credential, "base64").toString("utf8") : credential;
}

function copyHeader(call: Call, name: string, headers: Record<string, string>): void {
  const value = call.headers.get(name);
  if (value !== undefined) headers[name] = value;
}

/** The origin of the product or host that the path belongs to. One that the operator set replaces them all, with the path kept. */
function upstreamUrl({ vendor, origin }: VendorSetup, call: Pick<Call, "method" | "path" | "query">): string {
  const query = call.query === "" ? "" : `?${call.query}`;
  const slash = call.path.indexOf("/", 1);
  const first = slash === -1 ? call.path.slice(1) : call.path.slice(1, slash);
  const product = Object.hasOwn(vendor.productOrigins, first) ? vendor.productOrigins[first] : undefined;
  if (origin !== undefined) return `${origin}${call.path}${query}`;
  if (product !== undefined) return `${product}${slash === -1 ? "/" : call.path.slice(slash)}${query}`;
  const host =
    vendor.pathOrigins.find((other) => (other.method ?? call.method) === call.method && other.pattern.test(call.path))
      ?.origin ?? vendor.origin;
  return `${host}${call.path}${query}`;
}

/**
 * Idempotency keys are derived per vault key, so that two agents behind one secret cannot read each other's stored
 * answers; a POST without one gets the call's own id, so that an unresolved call can be looked up.
 */
export function idempotencyKeyFor(
  { vendor }: VendorSetup,
  call: Call,
  keyId: string,
  callId: string,
): UpstreamRequest["idempotencyKey"] {
  if (vendor.idempotency === "never" || (call.method !== "POST" && call.method !== "DELETE")) return undefined;
  const client = call.headers.get("idempotency-key");
  if (client === undefined) {
    return vendor.idempotency === "always" && call.method === "POST" ? { client, sent: `kb_${callId}` } : undefined;
  }
  const sent = `kb_${hash("sha256", `${keyId}\n${client}`, "hex").slice(0, 48)}`;
  return { client, sent };
}
