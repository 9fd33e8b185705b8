import { type ControlPlane, type KeyView, type ListKeysRequest, LOCAL_ADMIN } from "../operate/control-plane.ts";

const PAGE_KEYS_MAX = 100;

export interface ListedKeys {
  readonly keys: readonly KeyView[];
  /** Whether there are keys beyond these. */
  readonly more: boolean;
}

/** The newest keys that `filter` lets through, `limit` at most, page by page. */
export async function listAllKeys(
  control: ControlPlane,
  filter: Omit<ListKeysRequest, "cursor" | "limit">,
  limit: number,
): Promise<ListedKeys> {
  const keys: KeyView[] = [];
  let cursor: string | null = null;
  do {
    const request: ListKeysRequest = { ...filter, limit: Math.min(PAGE_KEYS_MAX, limit - keys.length) };
    const page = await control.listKeys(cursor === null ? request : { ...request, cursor }, LOCAL_ADMIN);
    keys.push(...page.keys);
    cursor = page.next_cursor;
  } while (cursor !== null && keys.length < limit);
  return { keys, more: cursor !== null };
}
