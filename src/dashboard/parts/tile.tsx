import type { ComponentChildren } from "preact";

interface Properties {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly tone?: "warn" | undefined;
}

/** One figure with its name. */
export function Tile({ name, value, note, tone }: Properties) {
  return (
    <div class={`tile ${tone ? `is-${tone}` : ""}`}>
      <dt>{name}</dt>
      <dd>
        <span class="tile-value number">{value}</span>
        {note !== undefined && <span class="tile-note">{note}</span>}
      </dd>
    </div>
  );
}
