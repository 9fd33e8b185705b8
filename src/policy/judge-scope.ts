import type { MoneyKind, Operation, Scope } from "../vendors/vendor.ts";
import { type Finding, listed, quoted } from "./judgement.ts";
import type { CompiledPolicy } from "./policy.ts";

const SENDS: ReadonlySet<MoneyKind> = new Set<MoneyKind>(["message", "call", "email"]);
const E164 = /^\+[1-9][0-9]{1,14}$/;

/**
 * The first scope rule that the call breaks: accounts, customers, numbers, domains, in this order. What a rule needs and
 * a call does not say is refused: a charge that names no customer under `customers`, a message without a visible
 * sender (a messaging service) under `from_numbers`.
 */
export function breachedScope(policy: CompiledPolicy, operation: Operation, scope: Scope): Finding | undefined {
  return (
    accountOutside(policy, scope) ??
    customerOutside(policy, operation, scope) ??
    addressOutside(policy, operation, scope)
  );
}

function accountOutside(policy: CompiledPolicy, scope: Scope): Finding | undefined {
  const stranger = scope.accounts?.find((account) => !policy.merchants.has(account));
  if (stranger === undefined) return undefined;
  return denied(
    "merchants",
    `the account ${quoted(stranger)} is out of scope; allowed beside the configured one: ${listed(policy.merchants)}.`,
    {
      account: stranger.slice(0, 100),
    },
  );
}

/** What `breachedScope` finds of the customer alone. */
export function customerOutside(policy: CompiledPolicy, operation: Operation, scope: Scope): Finding | undefined {
  const customers = policy.customers;
  if (!customers) return undefined;
  if (scope.customer !== undefined) {
    if (customers.has(scope.customer)) return undefined;
    return denied(
      "customers",
      `the customer ${quoted(scope.customer)} is out of scope; this key is for ${listed(customers)}.`,
      {
        customer: scope.customer.slice(0, 100),
      },
    );
  }
  return operation.class === "priced" ? noCustomer(customers) : undefined;
}

/**
 * A call whose customer the request need not name has to have one by the time it is priced; one that has no price, too,
 * since it may charge anybody.
 */
export function customerUnknown(
  policy: CompiledPolicy,
  operation: Operation,
  scope: Scope,
  isUnpriced = false,
): Finding | undefined {
  const { customers } = policy;
  if (!customers || (operation.class !== "look_up" && !isUnpriced) || scope.customer !== undefined) return undefined;
  return noCustomer(customers);
}

function noCustomer(customers: ReadonlySet<string>): Finding {
  return denied(
    "customers",
    `this call names no customer, and this key is for ${listed(customers)}. Name one of them.`,
  );
}

function addressOutside(policy: CompiledPolicy, operation: Operation, scope: Scope): Finding | undefined {
  const sends = SENDS.has(operation.kind);
  const { toPrefixes, fromNumbers, fromDomains, toDomains } = policy;
  if (toPrefixes) {
    const fits = (number: string) => E164.test(number) && toPrefixes.some((prefix) => number.startsWith(prefix));
    const finding = each("to_prefixes", "recipient", scope.recipients, sends, toPrefixes, fits);
    if (finding) return finding;
  }
  if (fromNumbers) {
    const finding = each("from_numbers", "sender", scope.senders, sends, fromNumbers, (sender) =>
      fromNumbers.has(sender),
    );
    if (finding) return finding;
  }
  if (fromDomains) {
    const finding = each("from_domains", "sender", scope.senders, sends, fromDomains, (sender) =>
      isWithin(sender, fromDomains),
    );
    if (finding) return finding;
  }
  if (!toDomains) return undefined;
  return each("to_domains", "recipient", scope.recipients, sends, toDomains, (recipient) =>
    isWithin(recipient, toDomains),
  );
}

/** Every address must fit, and a call that sends must show at least one. */
function each(
  rule: string,
  role: "recipient" | "sender",
  addresses: readonly string[] | undefined,
  sends: boolean,
  allowed: Iterable<string>,
  fits: (address: string) => boolean,
): Finding | undefined {
  if (!addresses || addresses.length === 0) {
    if (!sends) return undefined;
    return denied(rule, `this call shows no ${role}, and ${rule} of this key allows ${listed(allowed)}. Name one.`);
  }
  const stranger = addresses.find((address) => !fits(address));
  if (stranger === undefined) return undefined;
  return denied(
    rule,
    `the ${role} ${quoted(stranger)} is out of scope; ${rule} of this key allows ${listed(allowed)}.`,
    {
      [role]: stranger.slice(0, 100),
    },
  );
}

function isWithin(address: string, domains: ReadonlySet<string>): boolean {
  const domain = domainOf(address);
  return domain !== undefined && domains.has(domain);
}

/**
 * The domain of `a@b.com` or `Name <a@b.com>`, in lower case. Undefined for whatever two mail parsers could read as
 * different addresses: several in one text, quoted local parts, comments, a second `@` or `<`.
 */
export function domainOf(address: string): string | undefined {
  const match = /^(?:[^<>@,;:"()\\[\]\p{Cc}]*<([^<>]*)>|([^<>]*))$/u.exec(address.trim());
  const bare = match?.[1] ?? match?.[2];
  if (bare === undefined) return undefined;
  return /^[^\s@<>,;:"()\\[\]\p{Cc}]+@([A-Za-z0-9.-]+)$/u.exec(bare)?.[1]?.toLowerCase();
}

function denied(rule: string, sentence: string, details?: Finding["details"]): Finding {
  const finding: Finding = { code: "scope_denied", rule, message: `Keybrake: ${sentence}` };
  return details ? { ...finding, details } : finding;
}
