import { formatUsd, parseUsd } from "../core/money.ts";
import { Problem } from "../core/problem.ts";
import type { PolicyDocument } from "../policy/policy.ts";
import { vendorPolicies } from "../policy/vendor-policies.ts";
import type { VaultKeyRecord } from "../store/store.ts";
import type { Actor } from "./control-plane.ts";

/** @throws Problem `forbidden` for an auditor, who changes nothing. */
export function refuseReader(actor: Actor): void {
  if (actor.role !== "auditor") return;
  throw new Problem("forbidden", "an auditor's token reads and changes nothing", "use an admin's or issuer's token");
}

/** The token that an issuer's keys were issued with; undefined for who may see all keys. */
export function ownKeysOnly(actor: Actor): string | undefined {
  if (actor.role !== "issuer") return undefined;
  // An issuer is always a stored token; without one there is nothing that could be its own.
  if (actor.tokenId === null) throw new Problem("forbidden", "an issuer without a token owns no keys");
  return actor.tokenId;
}

/** Whether the key is there for `actor`; an issuer cannot even tell whether another's key exists. */
export function isVisible(record: VaultKeyRecord, actor: Actor): boolean {
  const owner = ownKeysOnly(actor);
  return owner === undefined || record.issuedBy === owner;
}

/** @throws Problem `forbidden` where an issuer asks for another template than its own, or for none. */
export function refuseForeignTemplate(actor: Actor, template: string | undefined): void {
  if (actor.role !== "issuer" || actor.templates === null) return;
  if (template !== undefined && actor.templates.includes(template)) return;
  const asked = template === undefined ? "a key without a template" : `template ${JSON.stringify(template)}`;
  throw new Problem(
    "forbidden",
    `this token may not issue ${asked}; its templates are ${actor.templates.join(", ")}`,
    "name one of its templates, or have an admin issue the key",
  );
}

/** @throws Problem `forbidden` where the policy lets a key spend more in a day than the issuer may hand out. */
export function refuseAboveCeiling(actor: Actor, policy: PolicyDocument): void {
  if (actor.role !== "issuer" || actor.maxDailyMicros === null) return;
  refuseUncounted(actor, policy);
  const ceiling = `$${formatUsd(actor.maxDailyMicros)}`;
  const field = policy.vendors === undefined ? "daily_usd_cap" : "daily_usd_cap_total";
  const cap = policy[field] as string | undefined;
  if (cap === undefined) {
    throw new Problem(
      "forbidden",
      `this token may issue keys with a ${field} of at most ${ceiling}, and this policy has none`,
      `give ${field}`,
    );
  }
  if (parseUsd(cap) <= actor.maxDailyMicros) return;
  throw new Problem(
    "forbidden",
    `${field} is $${cap}; this token may issue keys with at most ${ceiling}`,
    `lower ${field}, or have an admin issue the key`,
  );
}

/** What no cap counts is under no ceiling. A template of the issuer's own may say so: an admin has written it. */
function refuseUncounted({ templates }: Actor, policy: PolicyDocument): void {
  const letsUncounted = vendorPolicies(policy).some((part) => part["on_unknown_cost"] === "allow");
  if (templates !== null || !letsUncounted) return;
  throw new Problem(
    "forbidden",
    "on_unknown_cost: allow lets calls through that no cap counts, and this token has a ceiling",
    "say deny or { reserve_usd: 5 }, or have an admin issue the key",
  );
}
