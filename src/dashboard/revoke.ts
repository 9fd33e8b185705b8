import type { IssuedKeyView, KeyView } from "../operate/control-plane.ts";
import { api } from "./api.ts";
import { Cell } from "./cell.ts";
import { say } from "./toasts.ts";

/** The key that was just issued: it is shown in a window of its own, once. */
export const justIssued = new Cell<IssuedKeyView | undefined>(undefined);

/** Revokes a key at once, and offers the nearest thing to an undo: a revoked key stays so, but another can take its place. */
export async function revoke(key: Pick<KeyView, "id" | "agent_run_label">, changed: () => void): Promise<void> {
  const name = key.agent_run_label ?? key.id;
  try {
    await api.revokeKey(key.id);
    say(`Revoked ${name}.`, { text: "Issue again", run: () => void issueAgain(key, changed) });
    changed();
  } catch (error) {
    say(`${name} was not revoked: ${(error as Error).message}`);
  }
}

/** A new key with the policy, template and label of another. */
export async function issueAgain(key: Pick<KeyView, "id">, changed: () => void): Promise<void> {
  try {
    justIssued.set(await api.issueKey({ like: key.id }, crypto.randomUUID()));
    changed();
  } catch (error) {
    say(`The key was not issued: ${(error as Error).message}`);
  }
}
