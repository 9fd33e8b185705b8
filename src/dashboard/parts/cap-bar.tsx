import type { BudgetView } from "../../operate/budget-verbs.ts";
import { count, dollars, words } from "../format.ts";

/** Above this share of a cap somebody should look. */
const NEARLY = 0.8;

/** How much of a budget is used: a bar, and the figures. */
export function CapBar({ budget, name }: { readonly budget: BudgetView; readonly name?: string }) {
  const { unit, cap, used } = budget;
  const share = shareOf(budget);
  const amount = (text: string) => (unit === "usd" ? dollars(text) : count(text));
  const label = name ?? words(budget.budget);
  const figures = `${amount(used)} of ${amount(cap)}${unit === "usd" ? "" : ` ${unit}`}`;
  return (
    <div class="cap">
      {/* biome-ignore lint/a11y/useSemanticElements: browsers draw <meter> each in its own way, and style sheets cannot agree with all of them */}
      <div
        class={`cap-bar ${share >= 1 ? "is-full" : share >= NEARLY ? "is-near" : ""}`}
        role="meter"
        aria-label={label}
        aria-valuenow={Math.round(Math.min(share, 1) * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={figures}
      >
        <div class="cap-used" style={{ width: `${Math.min(share, 1) * 100}%` }} />
      </div>
      <div class="cap-figures">
        <span class="number">{figures}</span>
        <span class="muted">{label}</span>
      </div>
    </div>
  );
}

/** Used of the cap, where 1 is all of it; for drawing only. */
export function shareOf({ cap, used }: BudgetView): number {
  return Number(cap) === 0 ? 1 : Number(used) / Number(cap);
}
