import { useState } from "preact/hooks";
import type { BrakeRequest, BrakeView } from "../../operate/brake-verbs.ts";
import { api } from "../api.ts";
import { brakesChanged, reachOf, useBrakes } from "../brakes.ts";
import type { PageProperties } from "../pages.ts";
import { BrakeForm } from "../parts/brake-form.tsx";
import { BrakeTable } from "../parts/brake-table.tsx";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { Empty } from "../parts/empty.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { Shown } from "../parts/shown.tsx";
import { mayOperate } from "../session.ts";
import { say } from "../toasts.ts";

/** The big red button, and its undo. */
export function BrakePage({ role }: PageProperties) {
  const brakes = useBrakes();
  const [engaging, setEngaging] = useState<BrakeRequest>();
  const [releasing, setReleasing] = useState<BrakeView>();
  const reach = (request: BrakeRequest) =>
    reachOf({ vendor: request.vendor ?? null, label_prefix: request.label_prefix ?? null });
  const engage = async (request: BrakeRequest) => {
    await api.engage(request);
    say(`The brake is engaged: ${reach(request)} is refused.`);
    brakesChanged.set(brakesChanged.value + 1);
  };
  const release = async ({ vendor, label_prefix }: BrakeView) => {
    await api.release({ ...(vendor !== null && { vendor }), ...(label_prefix !== null && { label_prefix }) });
    say("The brake is released.");
    brakesChanged.set(brakesChanged.value + 1);
  };
  return (
    <>
      <PageHead title="Brake" />
      <section>
        <h2>Engaged</h2>
        <Shown loaded={brakes}>
          {(engaged) =>
            engaged.length === 0 ? (
              <Empty title="No brake is engaged">Calls go through as their keys allow.</Empty>
            ) : (
              <BrakeTable brakes={engaged} onRelease={mayOperate(role) ? setReleasing : undefined} />
            )
          }
        </Shown>
      </section>
      {mayOperate(role) && (
        <section class="panel is-danger">
          <h2>Stop calls</h2>
          <BrakeForm onAsk={setEngaging} />
        </section>
      )}
      {engaging && (
        <ConfirmDialog
          title="Engage the brake?"
          text={`From the moment you confirm, ${reach(engaging)} is refused, until the brake is released.${engaging.hard ? " Calls in flight are aborted, and their outcome is then unknown." : " Calls in flight are let finish."}`}
          act="Engage the brake"
          onConfirm={() => engage(engaging)}
          onClose={() => setEngaging(undefined)}
        />
      )}
      {releasing && (
        <ConfirmDialog
          title="Release the brake?"
          text={`From then on ${reachOf(releasing)} goes through again as its key allows.`}
          act="Release the brake"
          onConfirm={() => release(releasing)}
          onClose={() => setReleasing(undefined)}
        />
      )}
    </>
  );
}
