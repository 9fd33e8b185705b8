import type { KeyView } from "../../operate/control-plane.ts";
import type { Role } from "../session.ts";
import { KeyRow } from "./key-row.tsx";

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
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">Vendor</th>
          <th scope="col">Cap</th>
          <th scope="col" class="amount">
            Spent
          </th>
          <th scope="col">Left</th>
          <th scope="col">
            <span class="hidden">Acts</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <KeyRow key={key.id} vaultKey={key} role={role} changed={changed} />
        ))}
      </tbody>
    </table>
  );
}
