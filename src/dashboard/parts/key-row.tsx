import type { KeyView } from "../../operate/control-plane.ts";
import { counted, dollars } from "../format.ts";
import { vendorsOf } from "../key-vendors.ts";
import { revoke } from "../revoke.ts";
import { linkTo } from "../route.ts";
import { mayIssue, type Role } from "../session.ts";
import { CapBar, shareOf } from "./cap-bar.tsx";
import { KeyLife } from "./key-life.tsx";

interface Properties {
  readonly vaultKey: KeyView;
  readonly role: Role;
  readonly changed: () => void;
}

/** One key: its run, the budget with the least left, what it spent, how long it lives, and its end at one click. */
export function KeyRow({ vaultKey, role, changed }: Properties) {
  const { id, agent_run_label: label, template, spend, hint } = vaultKey;
  const [tightest] = [...spend.budgets].sort((a, b) => shareOf(b) - shareOf(a));
  return (
    <tr>
      <td data-name="Run" class="key-name">
        <a class="run" href={linkTo("key", id)} title={label ?? id}>
          {label ?? id}
        </a>
        <span class="muted small">
          {template ?? "own policy"} · <code>{hint.slice(-4)}</code>
        </span>
      </td>
      <td data-name="Vendor">{vendorsOf(vaultKey)}</td>
      <td data-name="Cap" class="cap-cell">
        {tightest ? <CapBar budget={tightest} /> : <span class="muted">no cap</span>}
      </td>
      <td data-name="Spent" class="amount">
        <span class="number">{dollars(spend.settled_usd)}</span>
        <span class="muted small">{counted(spend.calls, "call")}</span>
      </td>
      <td data-name="Left">
        <KeyLife vaultKey={vaultKey} />
      </td>
      <td class="row-acts">
        {vaultKey.status === "active" && mayIssue(role) && (
          <button
            type="button"
            class="button is-small is-danger"
            aria-label={`Revoke ${label ?? id}`}
            onClick={() => void revoke(vaultKey, changed)}
          >
            Revoke
          </button>
        )}
      </td>
    </tr>
  );
}
