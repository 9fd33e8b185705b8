import { linkTo } from "../route.ts";

/** A run's label, which leads to its page. */
export function RunLink({ label }: { readonly label: string | null }) {
  if (label === null || label === "") return <span class="muted">no label</span>;
  return (
    <a class="run" href={linkTo("run", label)} title={label}>
      {label}
    </a>
  );
}
