import { api } from "../api.ts";
import { useLive, useLoaded } from "../data.ts";
import type { PageProperties } from "../pages.ts";
import { CallList } from "../parts/call-list.tsx";
import { KeyFacts } from "../parts/key-facts.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { Shown } from "../parts/shown.tsx";
import { issueAgain, revoke } from "../revoke.ts";
import { mayIssue, mayRead } from "../session.ts";

/** One key: what it may, what it has used, and its calls. */
export function KeyPage({ place, role }: PageProperties) {
  const id = place.item ?? "";
  const loaded = useLoaded((signal) => api.key(id, signal), [id]);
  useLive(loaded);
  const key = loaded.value;
  return (
    <>
      <PageHead over="Vault key" title={key?.agent_run_label ?? id}>
        {key && mayIssue(role) && (
          <>
            <button type="button" class="button" onClick={() => void issueAgain(key, loaded.reload)}>
              Issue another like it
            </button>
            {key.status === "active" && (
              <button type="button" class="button is-danger" onClick={() => void revoke(key, loaded.reload)}>
                Revoke
              </button>
            )}
          </>
        )}
      </PageHead>
      <Shown loaded={loaded}>{(shown) => <KeyFacts vaultKey={shown} />}</Shown>
      {mayRead(role) && (
        <section>
          <h2>Calls</h2>
          <CallList query={{ key_id: id }} emptyText="This key has made no call yet." />
        </section>
      )}
    </>
  );
}
