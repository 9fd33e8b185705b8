import type { Command } from "commander";
import { Problem } from "../core/problem.ts";
import type { BrakeView } from "../operate/brake-verbs.ts";
import type { ControlPlane } from "../operate/control-plane.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { given } from "./policy-flags.ts";
import type { Column } from "./table.ts";
import { shortTime } from "./wording.ts";

interface ScopeFlags {
  readonly vendor?: string;
  readonly labelPrefix?: string;
  readonly json?: true;
}

/** `keybrake brake` and `keybrake release`: the big red button and its undo. */
export function addBrakeCommands(program: Command, cli: Cli): void {
  addBrake(program, cli);
  addRelease(program, cli);
}

function addBrake(program: Command, cli: Cli): void {
  const brake = program
    .command("brake")
    .description("stop every call at once, or those of one vendor or label prefix, until `keybrake release`")
    .option("--vendor <name>", "only calls to this vendor")
    .option("--label-prefix <text>", "only calls of keys whose run label begins with this")
    .option("--hard", "also abort calls that are in flight; their outcome is then unknown and counts as spent")
    .option("--reason <text>", "why, for whoever comes next")
    .option("--json", "print a JSON object")
    .action(async (flags: ScopeFlags & { hard?: true; reason?: string }) => {
      const request = { ...scopeOf(flags), ...given("hard", flags.hard), ...given("reason", flags.reason) };
      const view = await withControl(cli, brake, (control) => control.engageBrake(request), {
        ifBroken: "warn",
      });
      if (flags.json) return cli.voice.sayJson(view);
      const calls = scopeText(view) === EVERYTHING ? "no call" : "no such call";
      cli.voice.say(`the brake is on for ${scopeText(view)}: ${calls} is forwarded any more`);
      cli.voice.note(`undo it with \`${releaseLine(view)}\``);
    });
  withExamples(brake, [
    "keybrake brake --reason 'looking into the 2 a.m. page'",
    "keybrake brake --vendor stripe --hard",
  ]);
  const list = brake
    .command("list")
    .description("list the brakes that are on")
    .option("--json", "print a JSON array")
    .action(async () => {
      const brakes = await withControl(cli, list, (control) => control.listBrakes(), { ifBroken: "warn" });
      // `brake` itself has a --json, which takes the flag wherever it stands.
      if (list.optsWithGlobals<{ json?: true }>().json) return cli.voice.sayJson(brakes);
      cli.voice.sayTable(COLUMNS, brakes, "no brake is on");
    });
  withExamples(list, ["keybrake brake list"]);
}

const COLUMNS: readonly Column<BrakeView>[] = [
  { header: "stops", text: scopeText, widthMin: 16 },
  { header: "since (UTC)", text: ({ engaged_at }) => shortTime(engaged_at) },
  { header: "reason", text: ({ reason }) => reason ?? "-", widthMin: 10 },
];

function addRelease(program: Command, cli: Cli): void {
  const command = program
    .command("release")
    .description("take a brake off again: the one on everything, or the one with this vendor and prefix")
    .option("--vendor <name>", "the brake on this vendor")
    .option("--label-prefix <text>", "the brake on this label prefix")
    .option("--json", "print a JSON array")
    .action(async (flags: ScopeFlags) => {
      const release = async (control: ControlPlane) => {
        const brakes = await control.releaseBrake(scopeOf(flags));
        if (brakes.length === 0) throw noSuchBrake(flags, await control.listBrakes());
        return brakes;
      };
      const released = await withControl(cli, command, release, { ifBroken: "warn" });
      if (flags.json) return cli.voice.sayJson(released);
      for (const each of released) cli.voice.say(`the brake on ${scopeText(each)} is off`);
    });
  withExamples(command, ["keybrake release", "keybrake release --vendor stripe"]);
}

const EVERYTHING = "everything";

function scopeOf({ vendor, labelPrefix }: ScopeFlags): { vendor?: string; label_prefix?: string } {
  return { ...given("vendor", vendor), ...given("label_prefix", labelPrefix) };
}

function scopeText({ vendor, label_prefix }: Pick<BrakeView, "vendor" | "label_prefix">): string {
  if (vendor === null && label_prefix === null) return EVERYTHING;
  const parts = [vendor, label_prefix === null ? null : `labels that begin with ${JSON.stringify(label_prefix)}`];
  return parts.filter((part) => part !== null).join(", ");
}

function releaseLine({ vendor, label_prefix }: BrakeView): string {
  const vendorFlag = vendor === null ? "" : ` --vendor ${vendor}`;
  return `keybrake release${vendorFlag}${label_prefix === null ? "" : ` --label-prefix '${label_prefix}'`}`;
}

function noSuchBrake({ vendor, labelPrefix }: ScopeFlags, engaged: readonly BrakeView[]): Problem {
  const asked = scopeText({ vendor: vendor ?? null, label_prefix: labelPrefix ?? null });
  const hint = engaged.length === 0 ? "no brake is on" : `to take one off: ${engaged.map(releaseLine).join("; ")}`;
  return new Problem("not_found", `there is no brake on ${asked}`, hint);
}
