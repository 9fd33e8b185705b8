import type { Command } from "commander";
import type { EpochMs } from "../core/window.ts";
import type { BudgetView, SharedBudgetView } from "../operate/budget-verbs.ts";
import { LOCAL_ADMIN } from "../operate/control-plane.ts";
import { type Cli, withExamples } from "./cli.ts";
import { listAllKeys } from "./list-keys.ts";
import { withControl } from "./local.ts";
import { countUpTo, given } from "./policy-flags.ts";
import type { Column } from "./table.ts";
import { budgetAmount, fromNow } from "./wording.ts";

interface KeyBudget extends BudgetView {
  readonly key_id: string;
  readonly agent_run_label: string | null;
  readonly vendor: string | null;
  readonly vendors: readonly string[];
}

type ListedBudget = KeyBudget | SharedBudgetView;

interface ListFlags {
  readonly labelContains?: string;
  readonly vendor?: string;
  readonly limit: number;
  readonly json?: true;
}

const KEYS_MAX = 100_000;

/** `keybrake budget list`: what may still be spent. */
export function addBudgetCommands(program: Command, cli: Cli): void {
  const budget = program.command("budget").description("budgets, their use, and when they start again");
  withExamples(budget, ["keybrake budget list"]);
  const command = budget
    .command("list")
    .description("list the budgets above keys and of every active key")
    .option("--label-contains <text>", "only keys with this in their run label")
    .option("--vendor <name>", "only keys for this vendor")
    .option("--limit <n>", "of at most so many keys, the newest", countUpTo(KEYS_MAX), 1_000)
    .option("--json", "print a JSON array")
    .action(async (flags: ListFlags) => {
      const filter = {
        active: true,
        ...given("label_contains", flags.labelContains),
        ...given("vendor", flags.vendor),
      };
      const { shared, keys, more } = await withControl(cli, command, async (control) => {
        const { active: _, ...shown } = filter;
        const above = await control.listSharedBudgets(shown, LOCAL_ADMIN);
        return { shared: above, ...(await listAllKeys(control, filter, flags.limit)) };
      });
      const ofKeys: KeyBudget[] = keys.flatMap(({ id, agent_run_label, vendor, vendors, spend }) =>
        spend.budgets.map((each) => ({ key_id: id, agent_run_label, vendor, vendors, ...each })),
      );
      const budgets: ListedBudget[] = [...shared, ...ofKeys];
      if (flags.json) return cli.voice.sayJson(budgets);
      cli.voice.sayTable(columns(cli.clock.now()), budgets, "there is no budget above keys, and no active key has one");
      if (more) cli.voice.note(`these are the budgets of the newest ${keys.length} keys; --limit shows more`);
    });
  withExamples(command, ["keybrake budget list --label-contains billing"]);
}

/** Of a budget above keys: which calls it counts. */
function counts({ match: { vendor, label_prefix, kind } }: SharedBudgetView): string {
  return [vendor, label_prefix, kind].filter((part) => part !== null).join(" ") || "every call";
}

const columns = (now: EpochMs): readonly Column<ListedBudget>[] => [
  { header: "key", text: (each) => ("key_id" in each ? each.key_id : "-") },
  {
    header: "label",
    text: (each) => ("key_id" in each ? (each.agent_run_label ?? "-") : counts(each)),
    widthMin: 6,
  },
  { header: "budget", text: ({ budget }) => budget, widthMin: 8 },
  { header: "used", text: ({ unit, used }) => budgetAmount(unit, used), align: "right" },
  { header: "cap", text: ({ unit, cap }) => budgetAmount(unit, cap), align: "right" },
  {
    header: "left",
    text: ({ unit, remaining }) => budgetAmount(unit, remaining),
    align: "right",
    colour: ({ remaining }) => (/^[0.]+$/.test(remaining) ? "red" : undefined),
  },
  { header: "resets", text: ({ reset_at }) => (reset_at === null ? "never" : fromNow(reset_at, now)) },
];
