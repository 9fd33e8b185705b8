import { parseUsd } from "../core/money.ts";
import type { CappedKind } from "../vendors/vendor.ts";
import type { CapsDocument, KindCapDocument, MoneyDocument, VendorUsdDocument } from "./cap-values.ts";
import type { SayWider } from "./narrow-parameters.ts";

/** Both sets of caps at once: of a cap that both have, the given one, which may not be the higher. */
export function narrowCaps(base: CapsDocument, given: CapsDocument, sayWider: SayWider): CapsDocument {
  const merged: Partial<Record<CappedKind, KindCapDocument>> = { ...base };
  for (const [kind, cap] of Object.entries(given) as [CappedKind, KindCapDocument][]) {
    const before = base[kind] ?? {};
    for (const [name, amount] of Object.entries(cap) as [keyof KindCapDocument, string][]) {
      const most = before[name];
      if (most !== undefined && parseUsd(amount) > parseUsd(most)) sayWider(`caps.${kind}.${name}`, most, amount);
    }
    merged[kind] = { ...before, ...cap };
  }
  return merged;
}

/** Dollars by vendor, both sets at once; of a vendor that both have, the given one, which may not be the higher. */
export function narrowVendorUsd(
  base: VendorUsdDocument,
  given: VendorUsdDocument,
  sayWider: SayWider,
): VendorUsdDocument {
  for (const [vendor, amount] of Object.entries(given)) {
    const most = base[vendor];
    if (most !== undefined && parseUsd(amount) > parseUsd(most)) {
      sayWider(`per_vendor_daily_caps.${vendor}`, most, amount);
    }
  }
  return { ...base, ...given };
}

/**
 * The given cap, which is no higher only where it is in the same currency: by today's rate another one may be lower, and
 * by tomorrow's not.
 */
export function narrowMoney(base: unknown, given: unknown, sayWider: () => void): unknown {
  const [most, cap] = [base as MoneyDocument, given as MoneyDocument];
  if (cap.currency !== most.currency || parseUsd(cap.amount) > parseUsd(most.amount)) sayWider();
  return given;
}
