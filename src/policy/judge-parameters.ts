import { type Call, type Fields, isRead } from "../core/call.ts";
import { type Finding, listed, quoted } from "./judgement.ts";
import { MATCHED_VALUE_CHARACTERS_MAX } from "./pattern-cost.ts";
import type { ParameterRule } from "./policy.ts";

const WHOLE_NUMBER = /^(0|-?[1-9][0-9]{0,29})$/;
const LEFT_BRACKET = 91;

/**
 * The first parameter rule that the call breaks. A rule on `to` is also about everything beneath it (`to[0]`,
 * `to[email]`), or a list would be a way around it, and about `[3][to]` where the body is a list of objects (Resend's
 * batch). Rules are about every call that carries the parameter; `required` is about calls that change something,
 * since a read has no use for an order id.
 */
export function breachedParameter(rules: readonly ParameterRule[], call: Call): Finding | undefined {
  if (rules.length > 0 && (call.bodyKind === "multipart" || call.bodyKind === "opaque")) return unreadable(call);
  for (const rule of rules) {
    const finding = inFields(rule, call.bodyFields) ?? inFields(rule, call.queryFields) ?? missing(rule, call);
    if (finding) return finding;
  }
  return undefined;
}

function inFields(rule: ParameterRule, fields: Fields): Finding | undefined {
  if (fields.size === 0) return undefined;
  for (const name of fields.keys()) {
    if (!isAbout(rule.name, name)) continue;
    const finding = breach(rule, name, fields.get(name)!);
    if (finding) return finding;
  }
  return undefined;
}

/** A file upload's fields are not taken apart, so rules about them cannot be kept: refused rather than passed unseen. */
function unreadable({ bodyKind }: Call): Finding {
  return {
    code: "parameter_denied",
    rule: "parameters",
    message: `Keybrake: this key's policy has rules about parameters, which cannot be checked in a body of the kind ${bodyKind}. Use a key without such rules.`,
  };
}

/**
 * Whether the rule named `ruleName` is about the field `name`. Letter case counts for nothing: a vendor that ignores it
 * must not be reached past a rule by `Customer=`. Allocates only where the first letters agree, as it runs per field.
 */
function isAbout(ruleName: string, name: string): boolean {
  if (name.charCodeAt(0) === LEFT_BRACKET) {
    const inner = withoutEntry(name);
    return inner !== undefined && isAbout(ruleName, inner);
  }
  const length = ruleName.length;
  if (name.length < length || (name.length > length && name.charCodeAt(length) !== LEFT_BRACKET)) return false;
  if (name.startsWith(ruleName)) return true;
  const sameFirst = (name.charCodeAt(0) | 32) === (ruleName.charCodeAt(0) | 32);
  return sameFirst && name.slice(0, length).toLowerCase() === ruleName.toLowerCase();
}

/** `[0][to][1]`, a field of a body that is a list, as `to[1]`. */
function withoutEntry(name: string): string | undefined {
  if (name.charCodeAt(0) !== LEFT_BRACKET) return undefined;
  const match = /^\[\d+\]\[([^\]]*)\](.*)$/s.exec(name);
  return match ? match[1]! + match[2]! : undefined;
}

function missing(rule: ParameterRule, call: Call): Finding | undefined {
  if (!rule.required || isRead(call.method)) return undefined;
  const items = Array.isArray(call.json) ? call.json.length : 0;
  const present = new Set<string>();
  for (const fields of [call.bodyFields, call.queryFields]) {
    for (const name of fields.keys()) {
      // In the vendor's own letter case: another one may be no parameter at all to it.
      const exact = (withoutEntry(name) ?? name).startsWith(rule.name);
      if (!exact || !isAbout(rule.name, name)) continue;
      if (items <= 1) return undefined;
      present.add(/^\[\d+\]/.exec(name)?.[0] ?? "");
    }
  }
  // In a list of objects every one must carry it.
  if (present.size >= Math.max(items, 1)) return undefined;
  return {
    code: "parameter_denied",
    rule: `parameters.${rule.name}.required`,
    message: `Keybrake: the parameter ${rule.name} is required by this key's policy and is missing. Send it.`,
    details: { parameter: rule.name },
  };
}

function breach(rule: ParameterRule, name: string, value: string): Finding | undefined {
  if (rule.forbidden) return denied(rule, name, "forbidden", `the parameter ${name} may not be sent. Leave it out.`);
  if (rule.in && !rule.in.has(value)) {
    return denied(rule, name, "in", `${name} may be ${listed(rule.in)}, not ${quoted(value)}.`);
  }
  if (rule.notIn?.has(value)) return denied(rule, name, "not_in", `${name} may not be ${quoted(value)}.`);
  return outsideBounds(rule, name, value) ?? wrongForm(rule, name, value);
}

function outsideBounds(rule: ParameterRule, name: string, value: string): Finding | undefined {
  if (rule.min === undefined && rule.max === undefined) return undefined;
  const bound = rule.min === undefined ? "max" : "min";
  if (!WHOLE_NUMBER.test(value)) {
    return denied(rule, name, bound, `${name} must be a whole number under this key's policy, not ${quoted(value)}.`);
  }
  const number = BigInt(value);
  if (rule.min !== undefined && number < rule.min) {
    return denied(rule, name, "min", `${name} is at least ${rule.min}, not ${value}.`);
  }
  if (rule.max !== undefined && number > rule.max) {
    return denied(rule, name, "max", `${name} is at most ${rule.max}, not ${value}.`);
  }
  return undefined;
}

function wrongForm(rule: ParameterRule, name: string, value: string): Finding | undefined {
  // The length first: the cost of a match is bounded only for values up to it.
  if (rule.matches && (value.length > MATCHED_VALUE_CHARACTERS_MAX || !rule.matches.test(value))) {
    const form = rule.matches.source.slice("^(?:".length, -")$".length);
    return denied(rule, name, "matches", `${name} must look like ${form}, and ${quoted(value)} does not.`);
  }
  if (rule.prefixIn && !rule.prefixIn.some((prefix) => value.startsWith(prefix))) {
    return denied(rule, name, "prefix_in", `${name} must begin with ${listed(rule.prefixIn)}, not ${quoted(value)}.`);
  }
  return undefined;
}

function denied(rule: ParameterRule, name: string, word: string, sentence: string): Finding {
  return {
    code: "parameter_denied",
    rule: `parameters.${rule.name}.${word}`,
    message: `Keybrake: ${sentence} Do not retry with this parameter.`,
    details: { parameter: name },
  };
}
