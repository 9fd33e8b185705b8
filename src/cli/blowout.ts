import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { type Blowout, blowout } from "../operate/blowout.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { noteLocal } from "./local.ts";
import { countUpTo } from "./policy-flags.ts";
import type { Column } from "./table.ts";
import { counted, dollars, facts, grouped } from "./wording.ts";

const CALLS_PER_MINUTE_MAX = 1_000_000;
const HOURS_MAX = 24 * 366;

interface BlowoutFlags {
  readonly vendor: string;
  readonly callsPerMinute: number;
  readonly amountUsd?: string;
  readonly price?: string;
  readonly capUsd?: string;
  readonly hours: number;
  readonly json?: true;
}

/** `keybrake blowout`: what a stuck loop costs, with and without a cap. No data directory is opened, nothing is sent. */
export function addBlowoutCommand(program: Command, cli: Cli): void {
  const command = program
    .command("blowout")
    .description("reckon what a stuck loop costs, with and without a daily cap; nothing is sent")
    .requiredOption("--vendor <name>", "the vendor that the loop calls")
    .requiredOption("--calls-per-minute <n>", "how fast the loop is", countUpTo(CALLS_PER_MINUTE_MAX))
    .option("--amount-usd <usd>", "dollars that one call moves (default: 15 for Stripe, else the vendor's price)")
    .option("--price <name>", "the price of one call, by its name in `keybrake vendor prices`")
    .option("--cap-usd <usd>", "daily cap in dollars (default: that of the vendor's template)")
    .option("--hours <n>", "for how long nobody looks", countUpTo(HOURS_MAX), 24)
    .option("--json", "print a JSON object")
    .action((flags: BlowoutFlags) => {
      const { vendors, prices } = readConfig(globalFlags(command), cli.environment);
      noteLocal(cli, "prices are those");
      const view = blowout(vendors, prices, flags);
      if (flags.json) {
        cli.voice.sayJson(view);
        return;
      }
      cli.voice.say(factsText(view));
      cli.voice.sayTable(columnsFor(view), rowsOf(view), "");
      for (const line of legend(view)) cli.voice.note(line);
    });
  withExamples(command, [
    "keybrake blowout --vendor stripe --calls-per-minute 150",
    "keybrake blowout --vendor twilio --calls-per-minute 180 --price twilio.sms.+44 --cap-usd 25 --hours 8",
  ]);
}

function factsText({ call_usd, call_is, calls, calls_per_minute, hours, seconds_to_100_usd, capped }: Blowout): string {
  const far = seconds_to_100_usd === null ? "never" : `after ${duration(seconds_to_100_usd)}`;
  return facts([
    ["one call", `$${call_usd} (${call_is})`],
    ["calls", `${grouped(calls_per_minute)} a minute, ${grouped(calls)} in ${hours} h`],
    ["first $100", far],
    ["cap", capped === null ? "none" : `${dollars(capped.cap_usd)} a UTC day (${capped.cap_is})`],
    ["the cap stops it", capped === null ? null : stopText(capped)],
    ["saved", capped === null ? null : dollars(capped.saved_usd)],
  ]);
}

function stopText({ stopped_after_seconds, calls_refused }: NonNullable<Blowout["capped"]>): string {
  if (stopped_after_seconds === null) return "not within a day: the loop costs less than the cap";
  return `after ${duration(stopped_after_seconds)}, and refuses ${counted(calls_refused, "call")}`;
}

interface Row {
  readonly name: string;
  readonly calls: number;
  readonly hourUsd: string;
  readonly totalUsd: string;
}

function rowsOf({ calls, hour_usd, total_usd, capped }: Blowout): readonly Row[] {
  const uncapped = { name: "without a cap", calls, hourUsd: hour_usd, totalUsd: total_usd };
  if (capped === null) return [uncapped];
  const { calls_sent, hour_usd: hourUsd, total_usd: totalUsd } = capped;
  return [uncapped, { name: "with the cap", calls: calls_sent, hourUsd, totalUsd }];
}

function columnsFor({ hours }: Blowout): readonly Column<Row>[] {
  return [
    { header: "loop", text: ({ name }) => name },
    { header: "calls sent", text: ({ calls }) => grouped(calls), align: "right" },
    { header: "first hour", text: ({ hourUsd }) => dollars(hourUsd), align: "right" },
    {
      header: `${hours} h`,
      text: ({ totalUsd }) => dollars(totalUsd),
      align: "right",
      colour: ({ name }) => (name === "without a cap" ? "red" : "green"),
    },
  ];
}

function legend({ capped, vendor }: Blowout): readonly string[] {
  return capped === null
    ? [`no template of Keybrake's own caps ${vendor}: say a cap with --cap-usd`]
    : ["the loop is taken to begin with the UTC day; one that crosses midnight UTC meets a new day's cap"];
}

/** `13.2 s`, `4 min 10 s`, `3 h 20 min`. */
function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${grouped(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}
