import type { ShownKeyView } from "../../operate/control-plane.ts";
import { count, dollars, words } from "../format.ts";
import { vendorsOf } from "../key-vendors.ts";
import { At } from "./at.tsx";
import { CapBar } from "./cap-bar.tsx";
import { KeyLife } from "./key-life.tsx";
import { RunLink } from "./run-link.tsx";

/** What a key may and what it has used. */
export function KeyFacts({ vaultKey }: { readonly vaultKey: ShownKeyView }) {
  const { spend, shared_budgets, policy, metadata } = vaultKey;
  return (
    <div class="columns">
      <section class="panel">
        <h2>Budgets</h2>
        {spend.budgets.length === 0 && <p class="muted">No cap of its own.</p>}
        {spend.budgets.map((budget) => (
          <CapBar key={budget.budget} budget={budget} />
        ))}
        {(shared_budgets ?? []).map((budget) => (
          <CapBar key={`${budget.budget} ${budget.cap_field}`} budget={budget} name={`${budget.budget} (shared)`} />
        ))}
        <dl class="facts">
          <Fact name="Spent" value={dollars(spend.settled_usd)} />
          <Fact name="In flight" value={dollars(spend.held_usd)} />
          <Fact name="Unresolved" value={dollars(spend.unresolved_usd)} />
          <Fact name="Calls" value={count(spend.calls)} />
        </dl>
      </section>
      <section class="panel">
        <h2>Key</h2>
        <dl class="facts">
          <Fact name="Id" value={<code>{vaultKey.id}</code>} />
          <Fact name="Run" value={<RunLink label={vaultKey.agent_run_label} />} />
          <Fact name="Vendor" value={vendorsOf(vaultKey)} />
          <Fact name="Template" value={vaultKey.template ?? "none"} />
          {vaultKey.agent_name !== null && <Fact name="Agent" value={vaultKey.agent_name} />}
          <Fact name="Issued" value={<At time={vaultKey.created_at} />} />
          <Fact name="Left" value={<KeyLife vaultKey={vaultKey} />} />
          {vaultKey.revoke_reason !== null && <Fact name="Revoked because" value={vaultKey.revoke_reason} />}
          {Object.entries(metadata).map(([name, value]) => (
            <Fact key={name} name={name} value={value} />
          ))}
        </dl>
      </section>
      <section class="panel">
        <h2>Policy</h2>
        <dl class="facts is-wide">
          {Object.entries(policy).map(([name, value]) => (
            <Fact key={name} name={words(name)} value={<PolicyValue value={value} />} />
          ))}
        </dl>
      </section>
    </div>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function PolicyValue({ value }: { readonly value: unknown }) {
  const lines = Array.isArray(value) ? value : [value];
  return (
    <>
      {lines.map((line) => {
        const text = typeof line === "object" ? JSON.stringify(line) : String(line);
        return (
          <code key={text} class="policy-line">
            {text}
          </code>
        );
      })}
    </>
  );
}
