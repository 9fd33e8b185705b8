import { CopyButton } from "./copy-button.tsx";

/** Lines of code, with a button that copies them. */
export function Lines({ title, lines }: { readonly title: string; readonly lines: readonly string[] }) {
  return (
    <section class="lines" aria-label={title}>
      <div class="lines-head">
        <h4>{title}</h4>
        <CopyButton text={lines.join("\n")} what={`the lines for ${title}`} />
      </div>
      <pre>{lines.join("\n")}</pre>
    </section>
  );
}
