import { useState } from "preact/hooks";
import type { ListedVendorView } from "../../operate/vendor-health.ts";
import { api } from "../api.ts";
import { count, words } from "../format.ts";
import { At } from "./at.tsx";

interface Properties {
  readonly vendor: ListedVendorView;
  readonly mayTest: boolean;
}

/** One vendor: whether it is set up, and how its newest calls went. */
export function VendorCard({ vendor, mayTest }: Properties) {
  const { name, title, configured, origin, health } = vendor;
  const [tested, setTested] = useState<{ readonly ok: boolean; readonly message: string }>();
  const [isTesting, setTesting] = useState(false);
  const test = () => {
    setTesting(true);
    api
      .testVendor(name)
      .then(setTested, (error: Error) => setTested({ ok: false, message: error.message }))
      .finally(() => setTesting(false));
  };
  return (
    <section class="panel vendor-card" aria-label={title}>
      <div class="vendor-head">
        <h2>{title}</h2>
        <span class={`badge ${badgeOf(vendor)}`}>{stateOf(vendor)}</span>
      </div>
      <p class="muted small origin">{origin}</p>
      <dl class="facts">
        <div>
          <dt>Last good answer</dt>
          <dd>
            <At time={health.last_success_at} />
          </dd>
        </div>
        <div>
          <dt>Last failure</dt>
          <dd>
            <At time={health.last_failure_at} />
            {health.last_failure !== null && <span class="muted small">{words(health.last_failure)}</span>}
          </dd>
        </div>
        <div>
          <dt>Newest calls</dt>
          <dd class="number">
            {count(health.calls)}, {count(health.failed)} failed
          </dd>
        </div>
      </dl>
      {tested && (
        <p class={tested.ok ? "good" : "failure"} role="status">
          {tested.message}
        </p>
      )}
      {mayTest && configured && (
        <button type="button" class="button is-small" disabled={isTesting} onClick={test}>
          {isTesting ? "Asking…" : `Test ${title}`}
        </button>
      )}
    </section>
  );
}

function isFailing({ health }: ListedVendorView): boolean {
  const { last_failure_at: failed, last_success_at: succeeded } = health;
  return failed !== null && (succeeded === null || failed > succeeded);
}

function stateOf(vendor: ListedVendorView): string {
  if (isFailing(vendor)) return "failing";
  if (vendor.health.last_success_at !== null) return "healthy";
  return vendor.configured ? "no call lately" : "no secret";
}

function badgeOf(vendor: ListedVendorView): string {
  if (isFailing(vendor)) return "is-refused";
  return vendor.health.last_success_at !== null ? "is-settled" : "is-released";
}
