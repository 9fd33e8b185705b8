import { words } from "../format.ts";
import type { Row } from "../stream.ts";

const TEXT: Readonly<Record<string, string>> = {
  held: "in flight",
  settled: "allowed",
  released: "released",
  unresolved: "unresolved",
};

/** What Keybrake decided on a call, and what became of it. */
export function Verdict({ row }: { readonly row: Row }) {
  const state = String(row["state"]);
  const text = state === "refused" ? words(String(row["policy_verdict"])) : (TEXT[state] ?? state);
  return <span class={`badge is-${state in TEXT || state === "refused" ? state : "released"}`}>{text}</span>;
}
