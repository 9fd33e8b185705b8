import { Argument, type Command, Option } from "commander";
import { readConfig } from "../config.ts";
import { isRemote } from "../config-remote.ts";
import {
  OPERATION_CLASSES,
  type OperationClassName,
  type OperationView,
  vendorOperations,
} from "../operate/vendor-operations.ts";
import { VENDORS } from "../vendors/index.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import type { Column } from "./table.ts";
import type { Colour } from "./voice.ts";

interface OperationsFlags {
  readonly class?: OperationClassName;
  readonly json?: true;
}

/**
 * `keybrake vendor operations NAME`: what each call to a vendor can cost, or why it is closed. The list is part of the
 * program: no data directory is opened.
 * @param refuseSecret throws where the name could be a secret, so that no message repeats it.
 */
export function addVendorOperations(vendor: Command, cli: Cli, refuseSecret: (name: string) => void): void {
  const operationsOf = async (name: string) => {
    if (isRemote(cli.environment)) return withControl(cli, command, (control) => control.vendorOperations(name));
    return vendorOperations(readConfig(globalFlags(command), cli.environment).vendors, name);
  };
  const command = vendor
    .command("operations")
    .description("list what Keybrake knows of a vendor's API: priced, look-up, free, closed")
    .addArgument(vendorArgument())
    .addOption(new Option("--class <class>", "only those of this class").choices(OPERATION_CLASSES))
    .option("--json", "print a JSON array")
    .action(async (name: string, flags: OperationsFlags) => {
      refuseSecret(name);
      const all = await operationsOf(name);
      const shown = flags.class === undefined ? all : all.filter((each) => each.class === flags.class);
      if (flags.json) {
        cli.voice.sayJson(shown);
        return;
      }
      const columns = flags.class === undefined ? COLUMNS : COLUMNS.filter(({ header }) => header !== "class");
      cli.voice.sayTable(columns, shown, `${name} has no operation of the class ${flags.class}`);
      for (const line of shown.length === 0 ? [] : LEGEND) cli.voice.note(line);
    });
  withExamples(command, ["keybrake vendor operations stripe", "keybrake vendor operations twilio --class closed"]);
}

/** With its choices for completion alone: a misspelt name is answered by the nearest, like everywhere else. */
function vendorArgument(): Argument {
  const argument = new Argument("<name>", "the vendor");
  argument.argChoices = VENDORS.map(({ name }) => name);
  return argument;
}

const COLOURS: Readonly<Record<OperationClassName, Colour | undefined>> = {
  priced: "yellow",
  "look-up": "yellow",
  free: "green",
  closed: "red",
};

const COLUMNS: readonly Column<OperationView>[] = [
  { header: "operation", text: ({ route }) => route, widthMin: 24, tooWide: "wrap" },
  { header: "class", text: (view) => view.class, colour: (view) => COLOURS[view.class] },
  { header: "kind", text: ({ kind }) => kind },
  { header: "what counts, or why closed", text: detailOf, widthMin: 16, tooWide: "wrap" },
];

function detailOf({ code, detail }: OperationView): string {
  return (code === "cost_unknown" ? `cost_unknown: ${detail ?? "may move money"}` : detail) ?? "-";
}

const LEGEND = [
  "the first line that covers a call decides; what none covers is refused as cost_unknown",
  "a policy opens what is closed by the operation's exact text, cost_unknown never",
];
