import type { ControlPlane } from "./control-plane.ts";

const FIRST_TOKEN = "first start";

/** The admin token of a store that has had none yet, to be shown this once; undefined where somebody has one. */
export async function firstToken(control: ControlPlane): Promise<string | undefined> {
  if ((await control.listTokens()).length > 0) return undefined;
  const made = await control.issueToken({ role: "admin", name: FIRST_TOKEN });
  // Of several servers that start on a new store at once one says it: ids are in the order of time.
  const first = (await control.listTokens()).filter(({ name }) => name === FIRST_TOKEN).map(({ id }) => id);
  if (first.toSorted()[0] === made.id) return made.token;
  await control.revokeToken(made.id);
  return undefined;
}
