import { absolute, span } from "../format.ts";
import { useNow } from "../now.ts";

/** What is left until a time. */
export function Until({ time, over = "over" }: { readonly time: string; readonly over?: string }) {
  const leftMs = Date.parse(time) - useNow();
  return (
    <time dateTime={time} title={absolute(time)} class={leftMs < 300_000 ? "soon" : undefined}>
      {leftMs <= 0 ? over : span(leftMs)}
    </time>
  );
}
