import { Problem } from "../core/problem.ts";
import { formatDuration, parseDuration } from "../core/window.ts";
import { changedFields, splitChange } from "../policy/change.ts";
import { pathText } from "../policy/field-values.ts";
import { fillTemplate } from "../policy/load.ts";
import { narrowPolicy } from "../policy/narrow.ts";
import type { PolicyDocument, PolicyFields } from "../policy/policy.ts";
import { isMap } from "../policy/rule-values.ts";
import { unratedCaps } from "../policy/unrated.ts";
import { problemsText, validateFields, validatePolicy } from "../policy/validate.ts";
import { vendorPath, vendorsOf } from "../policy/vendor-policies.ts";
import type { VaultKeyRecord } from "../store/store.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { refuseAboveCeiling, refuseForeignTemplate } from "./actor.ts";
import { asInvalid } from "./as-invalid.ts";
import type { Actor, IssueKeyRequest, UpdateKeyRequest } from "./control-plane.ts";
import { checkVendorName } from "./known-vendor.ts";
import type { ControlPlaneOptions } from "./options.ts";

/**
 * The policy that a new key is bound to: the request's own, or a template's or another key's that the request's fields
 * narrow.
 */
export function policyOfRequest(
  options: ControlPlaneOptions,
  request: IssueKeyRequest,
  actor: Actor,
  like?: VaultKeyRecord,
): { readonly policy: PolicyDocument; readonly vendors: readonly Vendor[] } {
  refuseForeignTemplate(actor, like?.template ?? request.template);
  const { expires_in } = request;
  const fields = { ...request.policy, ...(expires_in === undefined ? {} : { expires_in }) };
  const made = like
    ? narrowedKey(options, like, fields)
    : request.template === undefined
      ? ownPolicy(options, request, fields)
      : narrowedTemplate(options, request, request.template, fields);
  refuseAboveCeiling(actor, made);
  refuseUnratedCaps(options, made);
  return { policy: made, vendors: vendorsNamed(options, made) };
}

/** The policy of another key, which the request's fields narrow. */
function narrowedKey(
  options: ControlPlaneOptions,
  { policy }: VaultKeyRecord,
  fields: Readonly<Record<string, unknown>>,
): PolicyDocument {
  return narrowPolicy(policy, fields, vendorsNamed(options, policy));
}

function ownPolicy(options: ControlPlaneOptions, request: IssueKeyRequest, fields: unknown): PolicyDocument {
  if (request.inputs !== undefined && Object.keys(request.inputs).length > 0) {
    throw new Problem(
      "invalid",
      "inputs fill a template, and no template is named",
      "name a template, or leave them out",
    );
  }
  const policy = validated(fields);
  vendorsNamed(options, policy);
  return policy;
}

function narrowedTemplate(
  options: ControlPlaneOptions,
  request: IssueKeyRequest,
  name: string,
  fields: Readonly<Record<string, unknown>>,
): PolicyDocument {
  const base = fillTemplate(
    asInvalid(() => options.templates.get(name)),
    request.inputs ?? {},
  );
  return narrowPolicy(base, fields, vendorsNamed(options, base));
}

/** @throws Problem `invalid` for a vendor that there is not. */
function vendorsNamed({ vendors }: ControlPlaneOptions, policy: PolicyDocument): readonly Vendor[] {
  return vendorsOf(policy).map((name) => checkVendorName(vendors, name));
}

/**
 * How long a key with this policy lives, in milliseconds.
 * @throws Problem `invalid` where nothing says so, or for more than the server's maximum.
 */
export function lifetimeMs({ config }: ControlPlaneOptions, policy: PolicyDocument): number {
  const given = policy["expires_in"] as string | undefined;
  const ms = given === undefined ? config.keyExpiresInMs : parseDuration(given);
  if (ms === undefined) {
    throw new Problem(
      "invalid",
      "expires_in is missing: neither the request nor the template says how long the key lives",
      "give expires_in, like 2h (`--expires-in 2h`)",
    );
  }
  refuseTooLong(ms, config.keyExpiresInMaxMs);
  return ms;
}

function refuseTooLong(ms: number, maxMs: number): void {
  if (ms <= maxMs) return;
  throw new Problem(
    "invalid",
    `expires_in is ${formatDuration(ms)}; a key lives at most ${formatDuration(maxMs)}`,
    "ask for less, or raise key_expires_in_max in keybrake.yaml",
  );
}

/**
 * The policy of a key after a change. An admin may change anything but the vendor; an issuer that is bound to templates
 * can only narrow, or it could issue a key from a template and then take the template off it.
 */
export function changedPolicy(
  options: ControlPlaneOptions,
  record: VaultKeyRecord,
  change: UpdateKeyRequest,
  actor: Actor,
): PolicyDocument {
  const { vendor: named, ...fields } = change.policy;
  refuseOtherVendors(record, named, fields["vendors"]);
  const { given, removed } = splitChange(fields);
  let policy: PolicyDocument;
  if (isBoundToTemplates(actor)) {
    if (removed.length > 0) {
      const names = removed.map(pathText).join(", ");
      throw new Problem("forbidden", `this token may only narrow the policies of its keys, not take ${names} away`);
    }
    policy = narrowPolicy(record.policy, given, vendorsNamed(options, record.policy));
  } else {
    policy = validated(changedFields(record.policy, canonical(given), removed));
  }
  refuseOtherWindow(record, policy);
  refuseAboveCeiling(actor, policy);
  // Of what is asked for only: a rate that was taken away since must not stop an operator from changing the rest.
  refuseUnratedCaps(options, given);
  return policy;
}

/** The vendors of a key are the ones it was issued for: whoever holds it has been told where it works. */
function refuseOtherVendors({ id, vendors }: VaultKeyRecord, named: unknown, parts: unknown): void {
  const others = isMap(parts)
    ? Object.keys(parts).filter((name) => !vendors.includes(name) || parts[name] === null)
    : [];
  if ((named === undefined || named === vendors.join()) && others.length === 0) return;
  throw new Problem(
    "invalid",
    `${id} is a key for ${vendors.join(" and ")}; its vendor${vendors.length === 1 ? "" : "s"} cannot be changed`,
    "issue another key; an empty allowed_endpoints stops the calls to one vendor",
  );
}

/** What was spent so far is on the counters of the old window, and the new ones would begin at nothing. */
function refuseOtherWindow(record: VaultKeyRecord, policy: PolicyDocument): void {
  const [before, after] = [record.policy, policy].map((one) => one["cap_window"] ?? "utc_day");
  if (before === after) return;
  throw new Problem(
    "invalid",
    `${record.id} counts by cap_window: ${before}; that of an issued key cannot be changed to ${after}`,
    "issue another key, and revoke this one",
  );
}

/** A cap that nobody can say in dollars would have to be 0 or no cap at all; neither is what was asked for. */
function refuseUnratedCaps({ config }: ControlPlaneOptions, fields: PolicyFields): void {
  const { vendors = {} } = fields as PolicyDocument;
  for (const [at, part] of [["", fields] as const, ...Object.entries(vendors)]) {
    const [unrated] = unratedCaps(part, config.currencyRates);
    if (!unrated) continue;
    const { path, currency } = unrated;
    const name = at === "" ? String(path[0]) : vendorPath(at) + path[0];
    throw new Problem(
      "invalid",
      `${name} is in ${currency}, and this server has no rate for that (currency_rates.${currency})`,
      `set currency_rates.${currency} in keybrake.yaml and restart, or give the cap in dollars (${DOLLAR_FIELDS[path[0]!]})`,
    );
  }
}

const DOLLAR_FIELDS: Readonly<Record<string, string>> = { daily_cap: "daily_usd_cap", total_cap: "total_usd_cap" };

/** A new expiry counted from now, in milliseconds from now; an issuer's key lives no longer than its template lets it. */
export function changedLifetimeMs(
  { config }: ControlPlaneOptions,
  record: VaultKeyRecord,
  expiresIn: string | number,
  actor: Actor,
): number {
  const result = validateFields({ expires_in: expiresIn });
  if (!result.ok) throw new Problem("invalid", problemsText(result.problems));
  const ms = parseDuration(result.fields["expires_in"] as string);
  refuseTooLong(ms, config.keyExpiresInMaxMs);
  const template = record.policy["expires_in"] as string | undefined;
  if (isBoundToTemplates(actor) && template !== undefined && ms > parseDuration(template)) {
    throw new Problem("forbidden", `expires_in is ${formatDuration(ms)}; this token may ask for ${template} at most`);
  }
  return ms;
}

function isBoundToTemplates(actor: Actor): boolean {
  return actor.role === "issuer" && actor.templates !== null;
}

/** Checked apart from the rest, so that a message names what the request got wrong. */
function canonical(fields: unknown): Readonly<Record<string, unknown>> {
  const result = validateFields(fields);
  if (result.ok) return result.fields;
  throw new Problem("invalid", problemsText(result.problems));
}

function validated(fields: unknown): PolicyDocument {
  const result = validatePolicy(fields);
  if (result.ok) return result.policy;
  throw new Problem("invalid", problemsText(result.problems));
}
