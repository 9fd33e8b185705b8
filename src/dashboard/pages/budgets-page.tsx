import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { useCursors } from "../cursors.ts";
import { useLive, useLoaded } from "../data.ts";
import { BudgetTable } from "../parts/budget-table.tsx";
import { Empty } from "../parts/empty.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { Pager } from "../parts/pager.tsx";
import { SharedBudgetTable } from "../parts/shared-budget-table.tsx";
import { Shown } from "../parts/shown.tsx";
import { TextField } from "../parts/text-field.tsx";
import { VendorChoice } from "../parts/vendor-choice.tsx";

const KEYS_PER_PAGE = 50;

/** What may still be spent: by all keys under a budget, and by each active key. */
export function BudgetsPage() {
  const [label, setLabel] = useState("");
  const [vendor, setVendor] = useState("");
  const { cursor, isFirst, next, back } = useCursors(`${label}\n${vendor}`);
  const loaded = useLoaded(
    (signal) => api.budgets({ label_contains: label, vendor, cursor, limit: String(KEYS_PER_PAGE) }, signal),
    [label, vendor, cursor],
  );
  useLive(loaded);
  return (
    <>
      <PageHead title="Budgets" />
      <search class="filters">
        <TextField label="Run label has" value={label} onValue={setLabel} />
        <VendorChoice value={vendor} onValue={setVendor} />
      </search>
      <Shown loaded={loaded}>
        {({ shared, budgets, next_cursor }) => (
          <>
            {isFirst && (
              <section>
                <h2>Above keys</h2>
                {shared.length === 0 ? (
                  <Empty title="No budget above keys">
                    Write one in <code>policies/budgets.yaml</code>: a cap over a label prefix, a vendor, or everything.
                  </Empty>
                ) : (
                  <SharedBudgetTable budgets={shared} />
                )}
              </section>
            )}
            <section>
              <h2>Of active keys</h2>
              {budgets.length === 0 ? <Empty title="No active key has a cap" /> : <BudgetTable budgets={budgets} />}
            </section>
            <Pager
              backText="Newer keys"
              nextText="Older keys"
              onBack={isFirst ? undefined : back}
              onNext={next_cursor === null ? undefined : () => next(next_cursor)}
            />
          </>
        )}
      </Shown>
    </>
  );
}
