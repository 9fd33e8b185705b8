import type { Command } from "commander";
import type { EpochMs } from "../core/window.ts";
import type { AlertDeliveryView, AlertTestView } from "../operate/alert-verbs.ts";
import { ALERTS_MAX } from "../operate/alerts.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { countUpTo } from "./policy-flags.ts";
import type { Column } from "./table.ts";
import { fromNow, shortTime } from "./wording.ts";

/** `keybrake alert`: whether alerts arrive, and which are on their way. */
export function addAlertCommands(program: Command, cli: Cli): void {
  const alert = program
    .command("alert")
    .description("try the targets of alerts, and look at what is on its way to them");
  withExamples(alert, ["keybrake alert test", "keybrake alert list"]);
  addTest(alert, cli);
  addList(alert, cli);
}

function addTest(alert: Command, cli: Cli): void {
  const command = alert
    .command("test")
    .description("send a test event now and say what came back; ends with 1 where it did not arrive")
    .option("--target <name>", "only this target of keybrake.yaml")
    .option("--json", "print a JSON array")
    .action(async ({ target, json }: { target?: string; json?: true }) => {
      const results = await withControl(cli, command, (control) => control.testAlerts(target));
      cli.exitCode = results.some(({ ok }) => !ok) ? 1 : 0;
      if (json) return cli.voice.sayJson(results);
      for (const result of results) cli.voice.say(testLine(result));
    });
  withExamples(command, ["keybrake alert test", "keybrake alert test --target ops"]);
}

function addList(alert: Command, cli: Cli): void {
  const command = alert
    .command("list")
    .description("list the alerts that wait for a target, and the newest of those that do not")
    .option("--limit <n>", "at most so many", countUpTo(ALERTS_MAX), 50)
    .option("--json", "print a JSON array")
    .action(async ({ limit, json }: { limit: number; json?: true }) => {
      const views = await withControl(cli, command, (control) => control.listAlerts(limit));
      if (json) return cli.voice.sayJson(views);
      cli.voice.sayTable(columns(cli.clock.now()), views, "no alert was sent, and none waits");
    });
  withExamples(command, ["keybrake alert list", "keybrake alert list --json"]);
}

function testLine({ target, ok, http_status: status, problem }: AlertTestView): string {
  return ok ? `${target} has taken it and answered ${status}` : `${target} did not take it: ${problem}`;
}

const columns = (now: EpochMs): readonly Column<AlertDeliveryView>[] => [
  { header: "at (UTC)", text: ({ at }) => shortTime(at) },
  { header: "event", text: ({ type }) => type },
  { header: "target", text: ({ target }) => target, widthMin: 6 },
  {
    header: "state",
    text: ({ state }) => state,
    colour: ({ state }) => (state === "failed" ? "red" : undefined),
  },
  { header: "tries", text: ({ attempts }) => String(attempts), align: "right" },
  { header: "next try", text: ({ next_try_at }) => (next_try_at === null ? "-" : fromNow(next_try_at, now)) },
  { header: "problem", text: ({ problem }) => problem ?? "-", widthMin: 10 },
];
