import type { HoldDecision } from "./entry.ts";

/** The vendor's object whose amount a call relies on or changes. */
export interface ObjectTerms {
  /** Of all vendors, as `objectName` makes it. */
  readonly name: string;
  /** What its version was before its amount was looked up; undefined where nothing was. */
  readonly version: number | undefined;
}

/** What the ledger knows of such an object. */
export interface VendorObject {
  /** Grows when a call takes the object and when it ends; 0 for one that no call has named. */
  readonly version: number;
  /** The call that is under way on it, or whose outcome nobody knows. */
  readonly heldBy: string | null;
  /** As the last answer showed it, JSON. While a call is under way on it nobody else can rely on that. */
  readonly remembered: string | null;
}

/** The objects that a batch touches, by name. */
export type VendorObjects = Map<string, VendorObject>;

export const UNTOUCHED: VendorObject = { version: 0, heldBy: null, remembered: null };

export function objectName(vendor: string, path: string): string {
  return `${vendor} ${path}`;
}

/** The path at the vendor of what `objectName` has named. */
export function objectPath(name: string): string {
  return name.slice(name.indexOf(" ") + 1);
}

/**
 * Why a call may not have its object now: another one is under way on it, or what was looked up no longer stands.
 * Otherwise two calls at once could move an amount that neither has held: one confirms what the other has just raised.
 * A call whose outcome is not known keeps its object: its repeat may still be the first that the vendor sees of it.
 */
export function decideObject(objects: VendorObjects, { name, version }: ObjectTerms): HoldDecision | undefined {
  const object = objects.get(name) ?? UNTOUCHED;
  if (object.heldBy !== null) {
    return {
      admitted: false,
      code: "idempotency_in_progress",
      rule: "object",
      budget: undefined,
      reason: object.heldBy,
    };
  }
  return version === undefined || version === object.version ? undefined : { admitted: false, code: "stale" };
}

export function takeObject(objects: VendorObjects, name: string, callId: string): void {
  const { version, remembered } = objects.get(name) ?? UNTOUCHED;
  objects.set(name, { version: version + 1, heldBy: callId, remembered });
}

/**
 * The call on the object has ended. `shown` is what its answer showed, null where it may have changed what was known, and
 * undefined where it has changed nothing. Whoever has looked the object up meanwhile has seen it before that call or after
 * it, and cannot know which: the version grows, so that it is looked up again.
 */
export function leaveObject(
  objects: VendorObjects,
  name: string,
  callId: string,
  shown: string | null | undefined,
): void {
  const object = objects.get(name);
  if (object?.heldBy !== callId) return;
  const remembered = shown === undefined ? object.remembered : shown;
  objects.set(name, { version: object.version + 1, heldBy: null, remembered });
}

/** Keeps what the answer of a call showed that made the object: of one that others have named since it may be out of date. */
export function rememberNew(objects: VendorObjects, name: string, json: string): void {
  if ((objects.get(name) ?? UNTOUCHED).version === 0) objects.set(name, { version: 1, heldBy: null, remembered: json });
}
