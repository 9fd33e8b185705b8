import { absolute, ago } from "../format.ts";
import { useNow } from "../now.ts";

/** A time as people say it; the exact one on hover and for programs. */
export function At({ time }: { readonly time: string | null }) {
  const now = useNow();
  if (time === null) return <span class="muted">never</span>;
  return (
    <time dateTime={time} title={absolute(time)}>
      {ago(Date.parse(time), now)}
    </time>
  );
}
