import { pathWith } from "../client.ts";

/** The rows that a filter selects as a file. */
export function ExportButtons({ query }: { readonly query: Readonly<Record<string, string>> }) {
  return (
    <>
      <a class="button" href={pathWith("/audit/export", { ...query, format: "csv" })} download="keybrake-audit.csv">
        Export CSV
      </a>
      <a class="button" href={pathWith("/audit/export", query)} download="keybrake-audit.ndjson">
        NDJSON
      </a>
    </>
  );
}
