import { useState } from "preact/hooks";
import { CALL_STATES } from "../../core/hold.ts";
import { VERDICTS } from "../../core/verdict.ts";
import { words } from "../format.ts";
import type { PageProperties } from "../pages.ts";
import { CallList } from "../parts/call-list.tsx";
import { Choice } from "../parts/choice.tsx";
import { ExportButtons } from "../parts/export-buttons.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { TextField } from "../parts/text-field.tsx";
import { VendorChoice } from "../parts/vendor-choice.tsx";
import { goTo, linkTo } from "../route.ts";

const FILTERS = [
  "run",
  "label_contains",
  "vendor",
  "verdict",
  "state",
  "customer",
  "triggering_event_id",
  "key_id",
  "since",
  "until",
] as const;
type Filters = Readonly<Record<(typeof FILTERS)[number], string>>;

/** Those that are folded away until they are used. */
const LESS_USED = ["customer", "triggering_event_id", "key_id", "since", "until"] as const;

const VERDICT_CHOICES = Object.keys(VERDICTS).map((verdict) => [verdict, words(verdict)] as const);
const STATE_CHOICES = CALL_STATES.map((state) => [state, state] as const);

/** Every call that was ever judged, searched by whatever is known of it. The filter stands in the address. */
export function AuditPage({ place }: PageProperties) {
  const asked = Object.fromEntries(FILTERS.map((name) => [name, place.query.get(name) ?? ""])) as Filters;
  const [typed, setTyped] = useState<Filters>(asked);
  const set = (name: keyof Filters) => (value: string) => setTyped({ ...typed, [name]: value });
  const search = (event: Event) => {
    event.preventDefault();
    goTo(linkTo("audit", undefined, trimmed(typed)));
  };
  const clear = () => {
    setTyped(Object.fromEntries(FILTERS.map((name) => [name, ""])) as Filters);
    goTo(linkTo("audit"));
  };
  return (
    <>
      <PageHead title="Audit">
        <ExportButtons query={asked} />
      </PageHead>
      <search>
        <form class="filters" onSubmit={search}>
          <TextField label="Run" value={typed.run} onValue={set("run")} />
          <TextField label="Run label has" value={typed.label_contains} onValue={set("label_contains")} />
          <VendorChoice value={typed.vendor} onValue={set("vendor")} />
          <Choice
            label="Verdict"
            value={typed.verdict}
            choices={[["", "Every verdict"], ...VERDICT_CHOICES]}
            onValue={set("verdict")}
          />
          <Choice
            label="State"
            value={typed.state}
            choices={[["", "Every state"], ...STATE_CHOICES]}
            onValue={set("state")}
          />
          <div class="filter-acts">
            <button type="submit" class="button is-main">
              Search
            </button>
            <button type="button" class="button" onClick={clear}>
              Clear
            </button>
          </div>
          <details class="more-filters" open={LESS_USED.some((name) => asked[name] !== "")}>
            <summary>More to search by</summary>
            <div class="filters">
              <TextField label="Customer" value={typed.customer} onValue={set("customer")} placeholder="cus_…" />
              <TextField
                label="Triggering event"
                value={typed.triggering_event_id}
                onValue={set("triggering_event_id")}
              />
              <TextField label="Vault key" value={typed.key_id} onValue={set("key_id")} placeholder="vk_…" />
              <TextField label="Since" value={typed.since} onValue={set("since")} placeholder="24h or 2026-01-31" />
              <TextField label="Until" value={typed.until} onValue={set("until")} placeholder="1h or 2026-01-31" />
            </div>
          </details>
        </form>
      </search>
      <CallList query={asked} emptyText="No call is like that" />
    </>
  );
}

function trimmed(filters: Filters): Filters {
  return Object.fromEntries(Object.entries(filters).map(([name, value]) => [name, value.trim()])) as Filters;
}
