import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import { Problem } from "../core/problem.ts";
import type { EpochMs } from "../core/window.ts";
import type { RefusedByView, ReplayRequest, ReplayView } from "../operate/policy-verbs.ts";
import { errorCode } from "../vault/private-file.ts";
import { readTime } from "./audit-filter-flags.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { collectPair, given } from "./policy-flags.ts";
import { Progress } from "./progress.ts";
import type { Column } from "./table.ts";
import { counted, dollars, facts, grouped, shortTime } from "./wording.ts";

interface ReplayFlags {
  readonly template: string;
  readonly since: string;
  readonly until?: string;
  readonly run?: string;
  readonly key?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly json?: true;
}

/** `keybrake policy replay`: a template against what has been recorded, before it is used. */
export function addReplayCommand(policy: Command, cli: Cli): void {
  const command = policy
    .command("replay")
    .description("say which recorded calls a template would have refused, by which rule, and their dollars")
    .requiredOption("--template <name>", "a template's name, or the path of a file that is not among them yet")
    .option("--since <time>", "calls since then: 24h, 7d, or 2026-01-31T08:00:00Z", "7d")
    .option("--until <time>", "only calls before then")
    .option("--run <label>", "only calls of this run")
    .option("--key <id>", "only calls with this vault key (its id, vk_…)")
    .option("--set <name=value>", "fill an input of the template; repeatable", collectPair)
    .option("--json", "print a JSON object")
    .action(async (flags: ReplayFlags) => {
      const request = replayRequest(flags, cli.clock.now());
      const progress = new Progress(cli.voice, "rows read");
      await withControl(cli, command, async (control) => {
        const view = await control
          .replayPolicy({ ...request, onProgress: (rows) => progress.show(rows) })
          .finally(() => progress.end());
        if (flags.json) cli.voice.sayJson(view);
        else sayReplay(view, cli);
      });
    });
  withExamples(command, [
    "keybrake policy replay --template billing --since 7d",
    "keybrake policy replay --template policies/billing-eu.yaml --run ray-billing/01 --since 30d",
  ]).addHelpText(
    "after",
    `
Each key that made calls is taken to have had the template: its caps count by key and window, over what was reserved
and spent. Left aside: expiry, brakes, repeats, and rules about what the audit does not hold ("not checked").`,
  );
}

function replayRequest(flags: ReplayFlags, now: EpochMs): ReplayRequest {
  const isPath = /[/\\]|\.ya?ml$/i.test(flags.template);
  return {
    ...(isPath ? { source: readSource(flags.template) } : { template: flags.template }),
    ...given("inputs", flags.set),
    filter: {
      since: readTime("--since", flags.since, now),
      ...given("until", flags.until === undefined ? undefined : readTime("--until", flags.until, now)),
      ...given("run", flags.run),
      ...given("keyId", flags.key),
    },
  };
}

function readSource(path: string): NonNullable<ReplayRequest["source"]> {
  try {
    return { file_name: basename(path), text: readFileSync(path, "utf8") };
  } catch (cause) {
    const hint = "--template is the name of a template (`keybrake policy list`) or the path of its file";
    throw new Problem("not_found", `cannot read ${path} (${errorCode(cause)})`, hint);
  }
}

function sayReplay(view: ReplayView, { voice }: Cli): void {
  const { allowed, refused, refused_then: then, not_checked, first_called_at: first, last_called_at: last } = view;
  const calls = allowed.calls + refused.calls;
  const span = first === null ? "" : `, ${shortTime(first)} to ${shortTime(last!)} UTC`;
  const passing = then.would_pass === 0 ? "none of them would pass" : `${grouped(then.would_pass)} of them would pass`;
  voice.say(
    facts([
      ["template", `${view.template} (${view.vendors.join(", ")})`],
      ["calls", `${grouped(calls)}${span}`],
      ["allowed", `${counted(allowed.calls, "call")}, ${dollars(allowed.usd)}`],
      ["refused", `${counted(refused.calls, "call")}, ${dollars(refused.usd)}`],
      ["refused then", then.calls === 0 ? null : `${counted(then.calls, "call")} beside these; ${passing}, caps aside`],
      [
        "not checked",
        not_checked.length === 0 ? null : `${not_checked.join(", ")}: the audit holds nothing to check them by`,
      ],
    ]),
  );
  if (calls === 0)
    voice.note(
      `no calls to ${view.vendors.join(" or ")} are recorded there; --since and --run say which are looked at`,
    );
  if (refused.calls === 0) return;
  voice.say("");
  const ofVendor = view.vendor === null ? [VENDOR_COLUMN] : [];
  voice.sayTable([...ofVendor, ...RULE_COLUMNS], view.rules, "");
  voice.say("");
  voice.sayTable(ENDPOINT_COLUMNS, view.endpoints, "");
  const [most] = view.rules;
  if (most) voice.note(`first refused, ${most.first_call_id}: ${most.message.replace(/^Keybrake: /, "")}`);
}

const VENDOR_COLUMN: Column<RefusedByView> = { header: "vendor", text: ({ vendor }) => vendor };

const RULE_COLUMNS: readonly Column<RefusedByView>[] = [
  { header: "verdict", text: ({ verdict }) => verdict },
  { header: "rule", text: ruleText, widthMin: 16 },
  { header: "calls", text: ({ calls }) => grouped(calls), align: "right" },
  { header: "dollars", text: ({ usd }) => dollars(usd), align: "right" },
  { header: "first", text: ({ first_called_at }) => shortTime(first_called_at) },
];

function ruleText({ rule, rule_place }: RefusedByView): string {
  return rule_place?.file ? `${rule} (${rule_place.file}:${rule_place.line})` : rule;
}

const ENDPOINT_COLUMNS: readonly Column<ReplayView["endpoints"][number]>[] = [
  { header: "refused endpoint", text: ({ endpoint }) => endpoint, widthMin: 16 },
  { header: "calls", text: ({ calls }) => grouped(calls), align: "right" },
  { header: "dollars", text: ({ usd }) => dollars(usd), align: "right" },
];
