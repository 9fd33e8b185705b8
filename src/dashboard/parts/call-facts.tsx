import { absolute, dollars, words } from "../format.ts";
import { linkTo } from "../route.ts";
import { text } from "../row-text.ts";
import type { Row } from "../stream.ts";

/** Those that stand on the line already. */
const ON_THE_LINE: ReadonlySet<string> = new Set(["method", "path", "agent_run_label", "vendor"]);

/** Every fact of an audit row that there is. */
export function CallFacts({ row }: { readonly row: Row }) {
  const names = Object.keys(row).filter((name) => !ON_THE_LINE.has(name) && text(row, name) !== "");
  return (
    <dl class="facts">
      {names.map((name) => (
        <div key={name}>
          <dt>{words(name)}</dt>
          <dd>{name === "vault_key_id" ? <KeyLink id={text(row, name)} /> : shown(name, text(row, name))}</dd>
        </div>
      ))}
    </dl>
  );
}

function KeyLink({ id }: { readonly id: string }) {
  return <a href={linkTo("key", id)}>{id}</a>;
}

function shown(name: string, value: string): string {
  if (name.endsWith("_usd")) return dollars(value);
  if (name.endsWith("_at")) return absolute(value);
  if (name.endsWith("_ms")) return `${value} ms`;
  return value;
}
