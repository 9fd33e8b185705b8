import { type Command, Option } from "commander";
import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import { type KeyView, LOCAL_ADMIN, type RevokeRequest, type ShownKeyView } from "../operate/control-plane.ts";
import { POLICY_FIELD_NAMES } from "../policy/schema.ts";
import { type Cli, withExamples } from "./cli.ts";
import { issuedKeyText, keyColumns, keyText } from "./key-text.ts";
import { listAllKeys } from "./list-keys.ts";
import { withControl } from "./local.ts";
import {
  addIssueFlags,
  addPolicyFlags,
  collect,
  countUpTo,
  type FlagValues,
  given,
  POLICY_FILE_FLAG,
  readIssueFlags,
  readPolicyFileFlag,
  readPolicyFlags,
} from "./policy-flags.ts";

const LIST_MAX = 100_000;

/** `keybrake key …`: what agents hold. */
export function addKeyCommands(program: Command, cli: Cli): void {
  const key = program.command("key").description("issue, list, change and revoke vault keys");
  withExamples(key, [
    "keybrake key issue --template billing --label ray-billing/01",
    "keybrake key revoke --run ray-billing/01",
  ]);
  addIssue(key, cli);
  addList(key, cli);
  addShow(key, cli);
  addUpdate(key, cli);
  addRevoke(key, cli);
}

function addIssue(key: Command, cli: Cli): void {
  const command = key.command("issue").description("issue a vault key; it is printed this once");
  addIssueFlags(command)
    .option("--json", "print a JSON object")
    .addOption(new Option("--quiet", "print the vault key alone").conflicts("json"))
    .action(async (flags: FlagValues & { json?: true; quiet?: true }) => {
      const request = readIssueFlags(flags);
      const issued = await withControl(cli, command, (control) => control.issueKey(request, LOCAL_ADMIN), flags);
      if (flags.json) cli.voice.sayJson(issued);
      else if (flags.quiet) cli.voice.say(issued.vault_key);
      else cli.voice.say(issuedKeyText(issued, cli.clock.now()));
      for (const warning of issued.warnings) cli.voice.warn(warning);
    });
  withExamples(command, [
    "keybrake key issue --template billing --label ray-billing/01 --set customers=cus_1,cus_2 --daily-usd-cap 200",
    'keybrake key issue --vendor stripe --allowed-endpoints "GET /v1/customers/*" --expires-in 2h --json',
    "export STRIPE_API_KEY=$(keybrake key issue --template billing --quiet)",
    "keybrake key issue --template multi-vendor --label nightly/42 --per-vendor-daily-caps stripe=200,twilio=5",
  ]);
}

interface ListFlags {
  readonly label?: string;
  readonly labelContains?: string;
  readonly vendor?: string;
  readonly active?: true;
  readonly limit: number;
  readonly json?: true;
}

function addList(key: Command, cli: Cli): void {
  const command = key
    .command("list")
    .description("list vault keys, newest first, with what they have spent")
    .option("--label <text>", "only keys with exactly this run label")
    .option("--label-contains <text>", "only keys with this in their run label")
    .option("--vendor <name>", "only keys for this vendor, alone or among others")
    .option("--active", "only keys that are neither revoked nor expired")
    .option("--limit <n>", "at most so many", countUpTo(LIST_MAX), 100)
    .option("--json", "print a JSON array")
    .action(async (flags: ListFlags) => {
      const filter = {
        ...given("label", flags.label),
        ...given("label_contains", flags.labelContains),
        ...given("vendor", flags.vendor),
        ...given("active", flags.active),
      };
      const { keys, more } = await withControl(cli, command, (control) => listAllKeys(control, filter, flags.limit), {
        ifBroken: "warn",
      });
      if (flags.json) return cli.voice.sayJson(keys);
      cli.voice.sayTable(keyColumns(cli.clock.now()), keys, "there are no such keys");
      if (more) cli.voice.note(`these are the newest ${keys.length}; --limit shows more`);
    });
  withExamples(command, ["keybrake key list --active --label-contains billing"]);
}

function addShow(key: Command, cli: Cli): void {
  const command = key
    .command("show")
    .description("show one vault key: policy, budgets and what it has spent")
    .argument("<id>", "the key's id, vk_…")
    .option("--json", "print a JSON object")
    .action(async (id: string, { json }: { json?: true }) => {
      const view = await withControl(cli, command, (control) => control.showKey(keyId(id), LOCAL_ADMIN));
      sayKey(view, json, cli);
    });
  withExamples(command, ["keybrake key show vk_01j… --json"]);
}

function addUpdate(key: Command, cli: Cli): void {
  const command = key
    .command("update")
    .description("change a vault key's expiry, caps and rules; in force for its next call")
    .argument("<id>", "the key's id, vk_…");
  addPolicyFlags(command, ["vendor"])
    .option("--unset <field>", "remove a field from the key's policy, such as total_usd_cap; repeatable", collect)
    .option(...POLICY_FILE_FLAG)
    .option("--json", "print a JSON object")
    .action(async (id: string, flags: FlagValues & { json?: true; unset?: readonly string[]; expiresIn?: string }) => {
      const removed = Object.fromEntries((flags.unset ?? []).map((field) => [fieldName(field), null]));
      const { expires_in, ...written } = readPolicyFileFlag(flags);
      const change = {
        policy: { ...written, ...readPolicyFlags(flags), ...removed },
        ...given("expires_in", flags.expiresIn ?? (expires_in as string | undefined)),
      };
      if (Object.keys(change.policy).length === 0 && change.expires_in === undefined) {
        throw new Problem(
          "usage",
          "there is nothing to change",
          "give a flag such as --expires-in 1h or --daily-usd-cap 200",
        );
      }
      const view = await withControl(cli, command, (control) => control.updateKey(keyId(id), change, LOCAL_ADMIN));
      sayKey(view, flags.json, cli);
      for (const warning of view.warnings) cli.voice.warn(warning);
    });
  withExamples(command, [
    "keybrake key update vk_01j… --expires-in 30m --daily-usd-cap 50",
    "keybrake key update vk_01j… --caps refund.daily_usd=50,payout.daily_usd=0",
    "keybrake key update vk_01j… --unset total_usd_cap",
    "keybrake key update vk_01j… --policy twilio-of-today.yaml",
  ]);
}

function sayKey(view: KeyView | ShownKeyView, json: true | undefined, cli: Cli): void {
  if (json) cli.voice.sayJson(view);
  else cli.voice.say(keyText(view, cli.clock.now()));
}

interface RevokeFlags {
  readonly run?: string;
  readonly labelPrefix?: string;
  readonly vendor?: string;
  readonly all?: true;
  readonly hard?: true;
  readonly reason?: string;
  readonly json?: true;
}

function addRevoke(key: Command, cli: Cli): void {
  const command = key
    .command("revoke")
    .description("revoke vault keys; when this returns, no later call with them is forwarded")
    .argument("[ids...]", "the keys' ids, vk_…")
    .option("--run <label>", "every key with exactly this run label")
    .option("--label-prefix <text>", "every key whose run label begins with this")
    .option("--vendor <name>", "every key for this vendor, alone or among others; such a key stops as a whole")
    .option("--all", "every key")
    .option("--hard", "also abort calls that are in flight; their outcome is then unknown and counts as spent")
    .option("--reason <text>", "why, for `key show` and the audit")
    .option("--json", "print a JSON object")
    .action(async (ids: readonly string[], flags: RevokeFlags) => {
      const request = revokeRequest(ids.map(keyId), flags);
      const view = await withControl(cli, command, (control) => control.revokeKeys(request, LOCAL_ADMIN), {
        ifBroken: "warn",
      });
      if (flags.json) return cli.voice.sayJson(view);
      for (const id of view.revoked) cli.voice.say(`revoked ${id}`);
      for (const id of view.already_revoked) cli.voice.say(`${id} was revoked before`);
      if (view.revoked.length + view.already_revoked.length === 0)
        cli.voice.say("no active key matches; nothing is revoked");
    });
  withExamples(command, [
    "keybrake key revoke vk_01j… --reason 'stuck loop'",
    "keybrake key revoke --run ray-billing/01 --hard",
    "keybrake key revoke --label-prefix tenant:acme:",
  ]);
}

function revokeRequest(ids: readonly string[], flags: RevokeFlags): RevokeRequest {
  const { run, labelPrefix, vendor, all, hard, reason } = flags;
  if (ids.length === 0 && run === undefined && labelPrefix === undefined && vendor === undefined && !all) {
    throw new Problem(
      "usage",
      "there is nothing that says which keys to revoke",
      "name ids, --run LABEL, --label-prefix PREFIX, --vendor NAME or --all",
    );
  }
  return {
    ...given("ids", ids.length > 0 ? ids : undefined),
    ...given("label", run),
    ...given("label_prefix", labelPrefix),
    ...given("vendor", vendor),
    ...given("all", all),
    ...given("hard", hard),
    ...given("reason", reason),
  };
}

/** A vault key in the place of its id is not looked up, and not shown again. */
function keyId(id: string): string {
  if (!id.startsWith("vault_key_")) return id;
  throw new Problem(
    "usage",
    "this is a vault key itself, and an id is wanted: it begins with vk_",
    "`keybrake key list` shows the ids, each with the end of its key",
  );
}

function fieldName(text: string): string {
  const name = text.replace(/^--/, "").replaceAll("-", "_");
  if (POLICY_FIELD_NAMES.has(name)) return name;
  const nearest = nearestName(name, [...POLICY_FIELD_NAMES]);
  const hint = nearest ? `did you mean ${nearest}?` : `the fields are ${[...POLICY_FIELD_NAMES].join(", ")}`;
  throw new Problem("usage", `${JSON.stringify(text)} is no field of a policy`, hint);
}
