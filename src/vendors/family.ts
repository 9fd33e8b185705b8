import type { MoneyKind, Operation, OperationClass } from "./vendor.ts";

/** One operation that needs no more than its name, class and kind. */
export function operation(name: string, opClass: OperationClass, kind: MoneyKind, route: string): Operation {
  return { name, route, class: opClass, kind };
}

/** One name and class for several routes. `reason` is why they are refused, where they are. */
export function family(
  name: string,
  opClass: OperationClass,
  kind: MoneyKind,
  reason: string | undefined,
  routes: readonly string[],
): Operation[] {
  return routes.map((route) => ({
    ...operation(name, opClass, kind, route),
    ...(reason === undefined ? {} : { reason }),
  }));
}
