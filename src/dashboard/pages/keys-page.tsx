import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { useCursors } from "../cursors.ts";
import { useLive, useLoaded } from "../data.ts";
import type { PageProperties } from "../pages.ts";
import { Choice } from "../parts/choice.tsx";
import { Empty } from "../parts/empty.tsx";
import { KeyTable } from "../parts/key-table.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { Pager } from "../parts/pager.tsx";
import { Shown } from "../parts/shown.tsx";
import { TextField } from "../parts/text-field.tsx";
import { VendorChoice } from "../parts/vendor-choice.tsx";
import { linkTo } from "../route.ts";
import { mayIssue } from "../session.ts";

const KEYS_PER_PAGE = 50;

/** The vault keys, the newest first, with what each has used of its caps. */
export function KeysPage({ role }: PageProperties) {
  const [label, setLabel] = useState("");
  const [vendor, setVendor] = useState("");
  const [active, setActive] = useState("true");
  const { cursor, isFirst, next, back } = useCursors([label, vendor, active].join("\n"));
  const loaded = useLoaded(
    (signal) => api.keys({ label_contains: label, vendor, active, cursor, limit: String(KEYS_PER_PAGE) }, signal),
    [label, vendor, active, cursor],
  );
  useLive(loaded);
  const isNarrowed = label !== "" || vendor !== "";
  return (
    <>
      <PageHead title="Keys">
        {mayIssue(role) && (
          <a class="button is-main" href={linkTo("issue")}>
            Issue a key
          </a>
        )}
      </PageHead>
      <search class="filters">
        <TextField label="Run label has" value={label} onValue={setLabel} />
        <VendorChoice value={vendor} onValue={setVendor} />
        <Choice
          label="Show"
          value={active}
          choices={[
            ["true", "Active keys"],
            ["", "Every key"],
          ]}
          onValue={setActive}
        />
      </search>
      <Shown loaded={loaded}>
        {({ keys, next_cursor }) => (
          <>
            {keys.length === 0 && isFirst ? (
              <Empty title={isNarrowed ? "No key is like that" : "No active key"}>
                {isNarrowed ? "Change the filter above." : "An agent's run needs one: issue it from a template."}
              </Empty>
            ) : (
              <KeyTable keys={keys} role={role} changed={loaded.reload} />
            )}
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
