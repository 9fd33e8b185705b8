import { Argument, type Command } from "commander";
import { readConfig } from "../config.ts";
import { isRemote } from "../config-remote.ts";
import { type PriceView, vendorPrices } from "../operate/vendor-prices.ts";
import { VENDORS } from "../vendors/index.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import type { Column } from "./table.ts";

interface PricesFlags {
  readonly all?: true;
  readonly json?: true;
}

/**
 * `keybrake vendor prices NAME`: what an operator can set under `prices`, and the figures in force. They are of the program
 * and of keybrake.yaml: no data directory is opened.
 * @param refuseSecret throws where the name could be a secret, so that no message repeats it.
 */
export function addVendorPrices(vendor: Command, cli: Cli, refuseSecret: (name: string) => void): void {
  const pricesOf = async (name: string, isFull: boolean) => {
    if (isRemote(cli.environment)) return withControl(cli, command, (control) => control.vendorPrices(name, isFull));
    const config = readConfig(globalFlags(command), cli.environment);
    return vendorPrices(config.vendors, config.prices, name, isFull);
  };
  const command = vendor
    .command("prices")
    .description("list a vendor's prices that keybrake.yaml can set, and the figures in force")
    .addArgument(vendorArgument())
    .option("--all", "show tables by number line by line")
    .option("--json", "print a JSON array")
    .action(async (name: string, flags: PricesFlags) => {
      refuseSecret(name);
      const shown = await pricesOf(name, flags.all ?? false);
      if (flags.json) {
        cli.voice.sayJson(shown);
        return;
      }
      // A table by number is one line a number, whatever is cut.
      const columns = flags.all ? COLUMNS : COLUMNS.map((column) => ({ ...column, tooWide: "wrap" as const }));
      cli.voice.sayTable(columns, shown, `${name} has no price that can be set: its calls cost what they move`);
      for (const line of shown.length === 0 ? [] : legend(name, shown)) cli.voice.note(line);
    });
  withExamples(command, ["keybrake vendor prices twilio", "keybrake vendor prices twilio --all --json"]);
}

/** With its choices for completion alone: a misspelt name is answered by the nearest, like everywhere else. */
function vendorArgument(): Argument {
  const argument = new Argument("<name>", "the vendor");
  argument.argChoices = VENDORS.map(({ name }) => name);
  return argument;
}

const COLUMNS: readonly Column<PriceView>[] = [
  { header: "price", text: ({ name }) => name },
  { header: "of", text: ({ unit }) => unit, widthMin: 12 },
  {
    header: "in force",
    text: figureOf,
    widthMin: 10,
    colour: ({ usd, otherwise }) => (usd === null && otherwise === null ? "yellow" : undefined),
  },
  {
    header: "from",
    text: originOf,
    widthMin: 10,
    colour: ({ from }) => (from === "keybrake.yaml" ? "green" : undefined),
  },
];

/** `$0.05`, `$0.0305 to $0.0979`, or what holds without a figure. */
function figureOf({ usd, usd_max, otherwise }: PriceView): string {
  if (usd === null) return otherwise ?? "none";
  return usd_max === null || usd_max === usd ? `$${usd}` : `$${usd} to $${usd_max}`;
}

function originOf({ from, as_of, source, prefixes }: PriceView): string {
  if (from !== "built-in") return from ?? "-";
  const count = prefixes === null ? "" : ` for ${prefixes === 1 ? "one prefix" : `${prefixes} prefixes`}`;
  return `built in${count}, ${as_of ?? "no date"}: ${source}`;
}

function legend(name: string, shown: readonly PriceView[]): readonly string[] {
  const hasTables = shown.some(({ prefixes }) => prefixes !== null);
  return [
    `set your account's own under prices.${name} in keybrake.yaml; what has none is refused as cost_unknown`,
    ...(hasTables ? ["--all shows every prefix; the longest that a number begins with decides"] : []),
  ];
}
