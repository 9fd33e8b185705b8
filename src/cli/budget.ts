import type { Command } from "commander";
import type { EpochMs } from "../core/window.ts";
import type { BudgetView } from "../operate/control-plane.ts";
import { type Cli, withExamples } from "./cli.ts";
import { listAllKeys } from "./list-keys.ts";
import { withControl } from "./local.ts";
import { countUpTo, given } from "./policy-flags.ts";
import type { Column } from "./table.ts";
import { budgetAmount, fromNow } from "./wording.ts";

interface KeyBudget extends BudgetView {
  readonly key_id: string;
  readonly agent_run_label: string | null;
  readonly vendor: string;
}

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
    .description("list the budgets of every active key")
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
      const { keys, more } = await withControl(cli, command, (control) => listAllKeys(control, filter, flags.limit));
      const budgets: KeyBudget[] = keys.flatMap(({ id, agent_run_label, vendor, spend }) =>
        spend.budgets.map((each) => ({ key_id: id, agent_run_label, vendor, ...each })),
      );
      if (flags.json) return cli.voice.sayJson(budgets);
      cli.voice.sayTable(columns(cli.clock.now()), budgets, "no active key has a budget");
      if (more) cli.voice.note(`these are the budgets of the newest ${keys.length} keys; --limit shows more`);
    });
  withExamples(command, ["keybrake budget list --label-contains billing"]);
}

const columns = (now: EpochMs): readonly Column<KeyBudget>[] => [
  { header: "key", text: ({ key_id }) => key_id },
  { header: "label", text: ({ agent_run_label }) => agent_run_label ?? "-", widthMin: 6 },
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
