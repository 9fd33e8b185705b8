import type { ListedVendorView } from "../../operate/vendor-health.ts";
import { api } from "../api.ts";
import { useLive, useLoaded } from "../data.ts";
import type { PageProperties } from "../pages.ts";
import { PageHead } from "../parts/page-head.tsx";
import { Shown } from "../parts/shown.tsx";
import { VendorCard } from "../parts/vendor-card.tsx";
import { mayOperate } from "../session.ts";

/** The vendors: which have a secret, and how their answers have been. */
export function VendorsPage({ role }: PageProperties) {
  const loaded = useLoaded((signal) => api.vendors(signal), []);
  useLive(loaded);
  return (
    <>
      <PageHead title="Vendors" />
      <p class="intro">
        A vendor's secret is set with <code>keybrake vendor set NAME</code>, and never shown. Health is told from the
        newest calls.
      </p>
      <Shown loaded={loaded}>
        {({ vendors }) => (
          <>
            <div class="cards">
              {vendors.filter(isUsed).map((vendor) => (
                <VendorCard key={vendor.name} vendor={vendor} mayTest={mayOperate(role)} />
              ))}
            </div>
            {vendors.some((vendor) => !isUsed(vendor)) && (
              <section class="panel">
                <h2>Known, and not set up</h2>
                <p class="muted">
                  {vendors
                    .filter((vendor) => !isUsed(vendor))
                    .map(({ title }) => title)
                    .join(", ")}
                </p>
              </section>
            )}
          </>
        )}
      </Shown>
    </>
  );
}

function isUsed({ configured, health }: ListedVendorView): boolean {
  return configured || health.calls > 0;
}
