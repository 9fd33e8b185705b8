import { type Command, InvalidArgumentError, Option } from "commander";
import { Problem } from "../core/problem.ts";
import type { IssueKeyRequest } from "../operate/control-plane.ts";
import type { PolicyFields } from "../policy/policy.ts";
import { POLICY_FIELDS, type PolicyField, type PolicyFieldName } from "../policy/schema.ts";
import type { FieldKind } from "../policy/value-schemas.ts";
import { readPolicyFile } from "./policy-file.ts";

export type FlagValues = Readonly<Record<string, unknown>>;

/** One flag for every policy field that a flag can say, derived from the policy's own schema. */
export function addPolicyFlags(command: Command, without: readonly PolicyFieldName[] = []): Command {
  for (const field of POLICY_FIELDS) {
    if (field.cliFlag === undefined || without.includes(field.name)) continue;
    command.addOption(policyOption(field.cliFlag, field));
  }
  return command;
}

/** What may be given in one flag with commas. */
const JOINED_KINDS: readonly FieldKind[] = ["list", "caps", "vendor_usd", "auto_revoke"];

function policyOption(flag: string, { kind, description }: PolicyField): Option {
  const option = new Option(flag, asFlagText(description));
  // A list, caps and rules of auto_revoke may be given in one flag with commas, in several, or both.
  return JOINED_KINDS.includes(kind)
    ? option.argParser<string>((value, previous) => (previous === undefined ? value : `${previous},${value}`))
    : option;
}

/** The schema's sentence in the manner of a flag's help: `Dollars that may be spent.` → `dollars that may be spent`. */
function asFlagText(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, "");
}

/** The policy fields among the flags; `expires_in` apart, which is the request's own. */
export function readPolicyFlags(flags: FlagValues): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { name, cliFlag } of POLICY_FIELDS) {
    if (cliFlag === undefined || name === "expires_in") continue;
    const value = flags[new Option(cliFlag).attributeName()];
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

/** For `.option`, beside the fields' own flags, which win over the file. */
export const POLICY_FILE_FLAG = [
  "--policy <file>",
  "policy fields from a YAML or JSON file, for what no flag can say, like vendors",
] as const;

/** What the file of `--policy` holds; nothing where there is none. */
export function readPolicyFileFlag({ policy }: FlagValues): PolicyFields {
  return typeof policy === "string" ? readPolicyFile(policy) : {};
}

/** The flags that say what key is wanted, for `key issue` and `run`. */
export function addIssueFlags(command: Command): Command {
  command
    .option("--template <name>", "template in the policies directory; the policy flags can only narrow it")
    .option("--like <id>", "policy, template, label and agent of another key; the policy flags can only narrow it")
    .option("--label <text>", "run label, such as ray-billing/01; up to 200 characters")
    .option("--agent-name <text>", "name of the agent, for the audit")
    .option("--set <name=value>", "fill an input of the template; repeatable", collectPair)
    .option("--metadata <name=value>", "attach a word to every audit row of the key; repeatable", collectPair)
    .option("--unique-label", "refuse where an active key has the label already")
    .option(...POLICY_FILE_FLAG);
  return addPolicyFlags(command);
}

export function readIssueFlags(flags: FlagValues): IssueKeyRequest {
  const policy = { ...readPolicyFileFlag(flags), ...readPolicyFlags(flags) };
  const text = (name: string) => flags[name] as string | undefined;
  const template = text("template");
  const like = text("like");
  const namesVendor = policy["vendor"] !== undefined || policy["vendors"] !== undefined;
  if (template === undefined && like === undefined && !namesVendor) {
    throw new Problem(
      "usage",
      "there is neither a template nor a vendor for the key",
      "name a template with --template (`keybrake policy list` shows them), or give --vendor and the policy's flags, or --policy FILE",
    );
  }
  return {
    policy,
    ...given("like", like),
    ...given("template", template),
    ...given("agent_run_label", text("label")),
    ...given("agent_name", text("agentName")),
    ...given("inputs", flags["set"] as Readonly<Record<string, string>> | undefined),
    ...given("metadata", flags["metadata"] as Readonly<Record<string, string>> | undefined),
    ...given("expires_in", text("expiresIn")),
    ...given("unique_label", flags["uniqueLabel"] as boolean | undefined),
  };
}

/** A property, or none where the value is undefined: an interface's optional field is left out, never undefined. */
export function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [name in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [name in Name]: Value });
}

/** For flags like `--set name=value`, each name once. */
export function collectPair(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("It must be name=value.");
  const name = text.slice(0, equals);
  if (Object.hasOwn(previous, name)) throw new InvalidArgumentError(`The name ${name} is given twice.`);
  // No prototype: a name like __proto__ is a name like any other, and refused as unknown further on.
  return Object.assign(Object.create(null), previous, { [name]: text.slice(equals + 1) });
}

export function collect(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, text];
}

/** For `--limit`: a whole number from 1 to `max`. */
export function countUpTo(max: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^[0-9]+$/.test(text) && count >= 1 && count <= max) return count;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  };
}
