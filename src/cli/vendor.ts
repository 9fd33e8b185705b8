import { type Command, Option } from "commander";
import { Problem } from "../core/problem.ts";
import type { VendorSettings, VendorView } from "../operate/control-plane.ts";
import { VENDORS } from "../vendors/index.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { given } from "./policy-flags.ts";
import { readSecret, type SecretSource } from "./secret-source.ts";
import { looksLikeSecret } from "./secret-words.ts";
import type { Column } from "./table.ts";
import { addVendorLint } from "./vendor-lint.ts";
import { addVendorOperations } from "./vendor-operations.ts";
import { addVendorPrices } from "./vendor-prices.ts";
import { shortTime } from "./wording.ts";

interface SetFlags extends SecretSource {
  readonly keepSecret?: true;
  readonly accountId?: string;
  readonly accountSid?: string;
  readonly username?: string;
  readonly origin?: string;
  readonly defaultOrigin?: true;
  readonly private?: true;
  readonly json?: true;
}

/** `keybrake vendor …`: the real secrets, which are read and never shown. */
export function addVendorCommands(program: Command, cli: Cli): void {
  const vendor = program.command("vendor").description("set, rotate, test and list the vendors' real secrets");
  withExamples(vendor, ["keybrake vendor set stripe --from-env STRIPE_SECRET_KEY", "keybrake vendor list"]);
  addList(vendor, cli);
  addSet(vendor, cli);
  addRotate(vendor, cli);
  addRemove(vendor, cli);
  addTest(vendor, cli);
  addVendorLint(vendor, cli);
  addVendorOperations(vendor, cli, (name) => refuseArguments(name, []));
  addVendorPrices(vendor, cli, (name) => refuseArguments(name, []));
}

function addList(vendor: Command, cli: Cli): void {
  const command = vendor
    .command("list")
    .description("list the vendors and whether they have a secret")
    .option("--json", "print a JSON array")
    .action(async ({ json }: { json?: true }) => {
      const vendors = await withControl(cli, command, (control) => control.listVendors());
      if (json) cli.voice.sayJson(vendors);
      else cli.voice.sayTable(COLUMNS, vendors, "there are no vendors");
    });
  withExamples(command, ["keybrake vendor list --json"]);
}

const COLUMNS: readonly Column<VendorView>[] = [
  { header: "vendor", text: ({ name }) => name },
  {
    header: "secret",
    text: ({ configured }) => (configured ? "set" : "not set"),
    colour: ({ configured }) => (configured ? "green" : "yellow"),
  },
  { header: "account", text: ({ account_id }) => account_id || "-", widthMin: 8 },
  { header: "address", text: (view) => view.origin + (view.private ? " (private)" : ""), widthMin: 12 },
  { header: "changed (UTC)", text: ({ updated_at }) => (updated_at ? shortTime(updated_at) : "-") },
];

/** `--from-env`, `--from-file`; without either, stdin. */
function addSecretFlags(command: Command): Command {
  return command
    .option("--from-env <variable>", "read the secret from this environment variable")
    .addOption(new Option("--from-file <path>", "read the secret from this file").conflicts("fromEnv"));
}

/** Twilio's own word for its account id is `--account-sid`; each vendor's declaration says its own. */
function addAccountFlags(command: Command): Command {
  command.option(
    "--account-id <id>",
    "the vendor's account that the secret is for (Twilio: the account SID, Shopify: the store's name)",
  );
  for (const { accountId, title } of VENDORS) {
    if (accountId && accountId.flag !== "--account-id")
      command.option(`${accountId.flag} <id>`, `${title}: ${accountId.description}`);
  }
  return command.option("--username <name>", "user name of an API key, where it is not the account (Twilio: SK…)");
}

function addSet(vendor: Command, cli: Cli): void {
  const command = vendor
    .command("set")
    .description("set a vendor's secret and address; the secret comes from a variable, a file or stdin")
    .argument("<name>", `the vendor: ${VENDORS.map(({ name }) => name).join(", ")}, or one that keybrake.yaml declares`)
    .argument("[more...]", "nothing: a secret is never taken from an argument");
  addAccountFlags(addSecretFlags(command))
    .option("--keep-secret", "change the other settings alone")
    .option("--origin <url>", "send the vendor's calls to this address instead of the vendor's own")
    .addOption(new Option("--default-origin", "send them to the vendor's own address again").conflicts("origin"))
    .option("--private", "allow --origin to be http, or on a private network: for test doubles")
    .option("--json", "print a JSON object")
    .action(async (name: string, more: readonly string[], flags: SetFlags) => {
      refuseArguments(name, more);
      const secret = flags.keepSecret ? undefined : await readSecret(flags, `secret for ${name}`, cli);
      const settings: VendorSettings = {
        ...given("secret", secret),
        ...given("account_id", accountOf(name, flags)),
        ...given("username", flags.username),
        ...given("origin", flags.defaultOrigin ? null : flags.origin),
        ...given("private", flags.private),
      };
      const view = await withControl(cli, command, (control) => control.setVendor(name, settings));
      if (flags.json) cli.voice.sayJson(view);
      else cli.voice.say(`${name} is ${view.configured ? "set" : "not set yet"}: calls go to ${view.origin}`);
      if (view.configured && !flags.json) cli.voice.note(`check it with \`keybrake vendor test ${name}\``);
      if (!VENDORS.some((vendor) => vendor.name === name)) {
        cli.voice.note(`${name} is declared in keybrake.yaml: a running server takes it up when it is started anew`);
      }
    });
  withExamples(command, [
    "keybrake vendor set stripe --from-env STRIPE_SECRET_KEY",
    "keybrake vendor set twilio --account-sid AC0123… --from-file /run/secrets/twilio",
    "keybrake vendor set stripe --origin http://127.0.0.1:12111 --private < key.txt",
  ]);
}

function addRotate(vendor: Command, cli: Cli): void {
  const command = vendor
    .command("rotate")
    .description("put a new secret in the place of the present one; vault keys keep working with it")
    .argument("<name>", "the vendor")
    .argument("[more...]", "nothing: a secret is never taken from an argument");
  addSecretFlags(command)
    .option("--json", "print a JSON object")
    .action(async (name: string, more: readonly string[], flags: SecretSource & { json?: true }) => {
      refuseArguments(name, more);
      const secret = await readSecret(flags, `new secret for ${name}`, cli);
      const view = await withControl(cli, command, async (control) => {
        const present = (await control.listVendors()).find((each) => each.name === name);
        if (present?.configured) return control.setVendor(name, { secret });
        throw new Problem(
          "not_found",
          `${name} has no secret to rotate`,
          `set one with \`keybrake vendor set ${name}\``,
        );
      });
      if (flags.json) cli.voice.sayJson(view);
      else cli.voice.say(`${name} has a new secret; every vault key uses it from its next call on`);
    });
  withExamples(command, ["keybrake vendor rotate stripe --from-env NEW_STRIPE_KEY"]);
}

function addRemove(vendor: Command, cli: Cli): void {
  const command = vendor
    .command("remove")
    .description("forget a vendor's secret, account and address; its calls are then refused")
    .argument("<name>", "the vendor")
    .option("--json", "print a JSON object")
    .action(async (name: string, { json }: { json?: true }) => {
      refuseArguments(name, []);
      const view = await withControl(cli, command, (control) => control.removeVendor(name));
      if (json) cli.voice.sayJson(view);
      else cli.voice.say(view.removed ? `${name} is removed` : `${name} had no secret; nothing has changed`);
    });
  withExamples(command, ["keybrake vendor remove twilio"]);
}

function addTest(vendor: Command, cli: Cli): void {
  const command = vendor
    .command("test")
    .description("try a vendor's secret with one cheap read; ends with 1 where it does not work")
    .argument("<name>", "the vendor")
    .option("--json", "print a JSON object")
    .action(async (name: string, { json }: { json?: true }) => {
      refuseArguments(name, []);
      const view = await withControl(cli, command, (control) => control.testVendor(name));
      cli.exitCode = view.ok ? 0 : 1;
      if (json) cli.voice.sayJson(view);
      else if (view.ok) cli.voice.say(`${name} works: ${view.message}`);
      else
        cli.voice.error(
          `${name} does not work: ${view.message}`,
          `set its secret with \`keybrake vendor set ${name}\``,
        );
    });
  withExamples(command, ["keybrake vendor test stripe"]);
}

/** A secret among the arguments: other users can read them while the program runs, and the shell remembers them. */
function refuseArguments(name: string, more: readonly string[]): void {
  const isKnown = VENDORS.some((vendor) => vendor.name === name);
  if (more.length === 0 && (isKnown || !looksLikeSecret(name))) return;
  throw new Problem(
    "usage",
    "a secret is never taken from an argument: other users of this machine could read it, and your shell keeps it",
    "use --from-env VARIABLE, --from-file PATH or stdin; if that was a real secret, roll it at the vendor",
  );
}

function accountOf(name: string, flags: SetFlags): string | undefined {
  const own = VENDORS.find((vendor) => vendor.name === name)?.accountId?.flag;
  const value =
    own === undefined ? undefined : (flags as Readonly<Record<string, unknown>>)[new Option(own).attributeName()];
  return (value as string | undefined) ?? flags.accountId;
}
