import type { ComponentType } from "preact";
import { AuditPage } from "./pages/audit-page.tsx";
import { BrakePage } from "./pages/brake-page.tsx";
import { BudgetsPage } from "./pages/budgets-page.tsx";
import { IssuePage } from "./pages/issue-page.tsx";
import { KeyPage } from "./pages/key-page.tsx";
import { KeysPage } from "./pages/keys-page.tsx";
import { RunPage } from "./pages/run-page.tsx";
import { SpendPage } from "./pages/spend-page.tsx";
import { UnresolvedPage } from "./pages/unresolved-page.tsx";
import { VendorsPage } from "./pages/vendors-page.tsx";
import type { Place } from "./route.ts";
import { mayIssue, mayRead, type Role } from "./session.ts";

/** What every page is given. */
export interface PageProperties {
  readonly place: Place;
  readonly role: Role;
}

export interface PageEntry {
  /** As it stands in the address. */
  readonly name: string;
  /** In the navigation; undefined for a page that is reached from another. */
  readonly title: string | undefined;
  readonly component: ComponentType<PageProperties>;
  readonly isFor: (role: Role) => boolean;
}

const everybody = () => true;

/** Every page, in the order of the navigation. */
export const PAGES: readonly PageEntry[] = [
  { name: "", title: "Spend", component: SpendPage, isFor: everybody },
  { name: "keys", title: "Keys", component: KeysPage, isFor: everybody },
  { name: "issue", title: "Issue a key", component: IssuePage, isFor: mayIssue },
  { name: "audit", title: "Audit", component: AuditPage, isFor: mayRead },
  { name: "unresolved", title: "Unresolved", component: UnresolvedPage, isFor: mayRead },
  { name: "budgets", title: "Budgets", component: BudgetsPage, isFor: everybody },
  { name: "vendors", title: "Vendors", component: VendorsPage, isFor: everybody },
  { name: "brake", title: "Brake", component: BrakePage, isFor: mayRead },
  { name: "key", title: undefined, component: KeyPage, isFor: everybody },
  { name: "run", title: undefined, component: RunPage, isFor: mayRead },
];

/** The page of that name for that role; the first one that the role may see where there is none. */
export function pageNamed(name: string, role: Role): PageEntry {
  const own = PAGES.filter(({ isFor }) => isFor(role));
  return own.find((page) => page.name === name) ?? own[0]!;
}
