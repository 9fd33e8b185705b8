import { useEffect } from "preact/hooks";
import type { BrakeView } from "../operate/brake-verbs.ts";
import { api } from "./api.ts";
import { Cell } from "./cell.ts";
import { type Loaded, useLoaded } from "./data.ts";

/** Grows when this page has engaged or released a brake, so that every place that shows them asks anew. */
export const brakesChanged = new Cell(0);

/** Brakes that others engage are seen within this time; calls need not come for it. */
const LOOK_EVERY_MS = 2000;

/** The brakes that are engaged. */
export function useBrakes(): Loaded<readonly BrakeView[]> {
  const loaded = useLoaded(async (signal) => (await api.brakes(signal)).brakes, []);
  const { reload } = loaded;
  useEffect(() => {
    const timer = setInterval(reload, LOOK_EVERY_MS);
    const stop = brakesChanged.watch(reload);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [reload]);
  return loaded;
}

/** What a brake stops, in words. */
export function reachOf({ vendor, label_prefix }: Pick<BrakeView, "vendor" | "label_prefix">): string {
  if (vendor === null && label_prefix === null) return "every call";
  const runs = label_prefix === null ? "" : ` of runs that begin with ${label_prefix}`;
  return vendor === null ? `every call${runs}` : `every call to ${vendor}${runs}`;
}
