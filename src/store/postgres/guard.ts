import { Problem } from "../../core/problem.ts";
import type { Store } from "../store.ts";
import { LinkLost } from "./link.ts";

/** The same verbs, with the one error that callers handle. */
export function guarded(store: Store): Store {
  const entries = Object.entries(store).map(([name, verb]) => {
    if (typeof verb !== "function" || name === "useChainKey") return [name, verb] as const;
    return [name, (...args: unknown[]) => attempt(() => Reflect.apply(verb, store, args) as Promise<unknown>)] as const;
  });
  return Object.fromEntries(entries) as unknown as Store;
}

async function attempt<T>(verb: () => Promise<T>): Promise<T> {
  try {
    return await verb();
  } catch (cause) {
    throw unavailable(cause);
  }
}

export function unavailable(cause: unknown): Error {
  if (cause instanceof Problem) return cause;
  const driver = driverError(cause);
  if (!driver) return cause instanceof Error ? cause : new Error(String(cause));
  return new Problem(
    "unavailable",
    `the store cannot be used: ${driver.message}`,
    "check that PostgreSQL runs and that this machine reaches it; `keybrake doctor` says more",
  );
}

/** What the driver has thrown, also where Drizzle has put a query around it. */
function driverError(cause: unknown): Error | undefined {
  if (!(cause instanceof Error)) return undefined;
  const { code } = cause as { readonly code?: unknown };
  if (cause instanceof LinkLost || (typeof code === "string" && code.startsWith("ERR_POSTGRES"))) return cause;
  return driverError(cause.cause);
}
