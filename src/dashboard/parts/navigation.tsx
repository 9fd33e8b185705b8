import { PAGES } from "../pages.ts";
import { linkTo } from "../route.ts";
import type { Role } from "../session.ts";

/** Pages that are reached from another belong to it. */
const BELONGS: Readonly<Record<string, string>> = { key: "keys", run: "audit" };

interface Properties {
  readonly role: Role;
  readonly current: string;
}

/** The pages that the role may see. */
export function Navigation({ role, current }: Properties) {
  const own = PAGES.filter(({ title, isFor }) => title !== undefined && isFor(role));
  return (
    <nav aria-label="Pages of the dashboard">
      <ul>
        {own.map(({ name, title }) => (
          <li key={name}>
            <a href={linkTo(name)} aria-current={(BELONGS[current] ?? current) === name ? "page" : undefined}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
