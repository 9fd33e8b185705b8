import type { Command } from "commander";
import type { FindingView } from "../operate/about.ts";
import type { ControlPlane } from "../operate/control-plane.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import type { Colour } from "./voice.ts";

const COLOURS: Readonly<Record<FindingView["level"], Colour>> = { ok: "green", warning: "yellow", error: "red" };
const LEVEL_CHARACTERS = "warning".length;

/** `keybrake doctor`: what is misconfigured and how to mend it. */
export function addDoctorCommand(program: Command, cli: Cli): void {
  const command = program
    .command("doctor")
    .description("say what is misconfigured and how to mend it; ends with 1 where there is an error")
    .option("--json", "print a JSON array")
    .action(async ({ json }: { json?: true }) => {
      const look = async (control: ControlPlane, leftOut: readonly string[]) => [
        ...leftOut.map(brokenSetting),
        ...(await control.doctor()),
      ];
      const findings = await withControl(cli, command, look, { ifBroken: "tell" });
      cli.exitCode = findings.some(({ level }) => level === "error") ? 1 : 0;
      if (json) return cli.voice.sayJson(findings);
      const width = Math.max(...findings.map(({ check }) => check.length));
      for (const { check, level, message, hint } of findings) {
        cli.voice.say(
          `${cli.voice.paint(level.padEnd(LEVEL_CHARACTERS), COLOURS[level])}  ${check.padEnd(width)}  ${message}`,
        );
        if (hint !== null) cli.voice.say(`${" ".repeat(LEVEL_CHARACTERS + width + 4)}${hint}`);
      }
    });
  withExamples(command, ["keybrake doctor"]);
}

function brokenSetting(message: string): FindingView {
  const hint = "mend it: the server does not start with it, and what follows is said without it";
  return { check: "configuration", level: "error", message, hint };
}
