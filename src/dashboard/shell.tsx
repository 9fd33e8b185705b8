import { useEffect, useState } from "preact/hooks";
import { useCell } from "./cell.ts";
import { pageNamed } from "./pages.ts";
import { BrakeBanner } from "./parts/brake-banner.tsx";
import { Brand } from "./parts/brand.tsx";
import { Connection } from "./parts/connection.tsx";
import { IssuedKey } from "./parts/issued-key.tsx";
import { Navigation } from "./parts/navigation.tsx";
import { Stale } from "./parts/stale.tsx";
import { ThemeSwitch } from "./parts/theme-switch.tsx";
import { ToastList } from "./parts/toast-list.tsx";
import { justIssued } from "./revoke.ts";
import { usePlace } from "./route.ts";
import { mayRead, type Role, signOut } from "./session.ts";

/** What stands around every page. */
export function Shell({ role }: { readonly role: Role }) {
  const place = usePlace();
  const issued = useCell(justIssued);
  const [isOpen, setOpen] = useState(false);
  const page = pageNamed(place.page, role);
  const Page = page.component;
  useEffect(() => setOpen(false), [place]);
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>("h1")?.focus()}>
        Skip to the page
      </button>
      <header class="side">
        <div class="side-head">
          <Brand />
          <button
            type="button"
            class="button menu-button"
            aria-expanded={isOpen}
            aria-controls="menu"
            onClick={() => setOpen(!isOpen)}
          >
            Menu
          </button>
        </div>
        <div id="menu" class={`menu ${isOpen ? "is-open" : ""}`}>
          <Navigation role={role} current={page.name} />
          <div class="side-foot">
            <Connection />
            <ThemeSwitch />
            <div class="who">
              <span class="muted">{role}</span>
              <button type="button" class="button is-small" onClick={() => void signOut()}>
                Sign out
              </button>
            </div>
          </div>
        </div>
      </header>
      <main>
        <Stale />
        {mayRead(role) && <BrakeBanner />}
        <Page key={`${page.name}/${place.item ?? ""}`} place={place} role={role} />
      </main>
      <ToastList />
      {issued && <IssuedKey issued={issued} onClose={() => justIssued.set(undefined)} />}
    </div>
  );
}
