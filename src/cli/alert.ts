import type { Command } from "commander";
import { testNews } from "../alerts/news.ts";
import { postAlert } from "../alerts/post.ts";
import { type Config, refuseUnsafeEnvironment } from "../config.ts";
import type { AlertTarget } from "../core/alert-target.ts";
import { Problem } from "../core/problem.ts";
import type { EpochMs } from "../core/window.ts";
import { Reach } from "../proxy/reach.ts";
import type { Delivery } from "../store/alert-queue.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { withStore } from "./local-store.ts";
import { countUpTo } from "./policy-flags.ts";
import type { Column } from "./table.ts";
import { fromNow, shortTime } from "./wording.ts";

const DELIVERIES_MAX = 10_000;

interface DeliveryView {
  readonly event_id: string;
  readonly type: string;
  readonly at: string;
  readonly text: string;
  readonly target: string;
  readonly state: string;
  readonly attempts: number;
  readonly next_try_at: string | null;
  readonly http_status: number | null;
  readonly problem: string | null;
}

interface TestView {
  readonly target: string;
  readonly type: string;
  readonly ok: boolean;
  readonly http_status: number | null;
  readonly problem: string | null;
}

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
      refuseUnsafeEnvironment(cli.environment);
      const results = await withStore(cli, globalFlags(command), (_, { config }) => sendTest(cli, config, target));
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
    .option("--limit <n>", "at most so many", countUpTo(DELIVERIES_MAX), 50)
    .option("--json", "print a JSON array")
    .action(async ({ limit, json }: { limit: number; json?: true }) => {
      const found = await withStore(cli, globalFlags(command), (store) => store.listDeliveries(limit));
      const views = found.map(deliveryView);
      if (json) return cli.voice.sayJson(views);
      cli.voice.sayTable(columns(cli.clock.now()), views, "no alert was sent, and none waits");
    });
  withExamples(command, ["keybrake alert list", "keybrake alert list --json"]);
}

async function sendTest(cli: Cli, config: Config, only: string | undefined): Promise<readonly TestView[]> {
  const reach = new Reach(cli.clock);
  const options = { ...cli, isPublic: (url: string) => reach.isPublic(url) };
  const news = testNews(cli.clock.now());
  return Promise.all(
    chosen(config.alerts.targets, only).map(async (target) => {
      const { httpStatus, problem } = await postAlert(options, target, news);
      return { target: target.name, type: target.type, ok: problem === null, http_status: httpStatus, problem };
    }),
  );
}

function chosen(targets: readonly AlertTarget[], only: string | undefined): readonly AlertTarget[] {
  if (targets.length === 0) {
    throw new Problem("not_found", "no alert target is configured", "name one under alerts: in keybrake.yaml");
  }
  const found = only === undefined ? targets : targets.filter(({ name }) => name === only);
  if (found.length > 0) return found;
  const names = targets.map(({ name }) => name).join(", ");
  throw new Problem("not_found", `there is no alert target ${JSON.stringify(only)}`, `keybrake.yaml has ${names}`);
}

function testLine({ target, ok, http_status: status, problem }: TestView): string {
  return ok ? `${target} has taken it and answered ${status}` : `${target} did not take it: ${problem}`;
}

function deliveryView({ event, target, state, attempts, dueAt, httpStatus, problem }: Delivery): DeliveryView {
  return {
    event_id: event.id,
    type: event.type,
    at: new Date(event.at).toISOString(),
    text: event.text,
    target,
    state,
    attempts,
    next_try_at: state === "pending" ? new Date(dueAt).toISOString() : null,
    http_status: httpStatus,
    problem,
  };
}

const columns = (now: EpochMs): readonly Column<DeliveryView>[] => [
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
