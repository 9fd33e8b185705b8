import type { KeyView } from "../../operate/control-plane.ts";
import type { Role } from "../session.ts";
import { KeyRow } from "./key-row.tsx";
import { TableHead } from "./table-head.tsx";

interface Properties {
  readonly keys: readonly KeyView[];
  readonly role: Role;
  readonly changed: () => void;
}

/** Keys, one a line. */
export function KeyTable({ keys, role, changed }: Properties) {
  return (
    <table class="table keys">
      <caption class="hidden">Vault keys, the newest first</caption>
      <TableHead names={["Run", "Vendor", "Cap", "Spent", "Left"]} amount="Spent" acts="Acts" />
      <tbody>
        {keys.map((key) => (
          <KeyRow key={key.id} vaultKey={key} role={role} changed={changed} />
        ))}
      </tbody>
    </table>
  );
}
