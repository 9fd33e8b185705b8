/**
 * Money is a `bigint` of micro-dollars (1 USD = 1,000,000). A bigint cannot be mixed with a float by accident:
 * the type checker refuses it and so does the runtime.
 */
export type Micros = bigint;

export const MICROS_PER_USD = 1_000_000n;

/** The largest amount kept anywhere: $1 trillion. Sums of many of these still fit SQLite's and PostgreSQL's 64 bits. */
export const MICROS_MAX: Micros = 1_000_000_000_000n * MICROS_PER_USD;

const USD_PATTERN = /^(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,6}))?$/;

/**
 * Reads a dollar amount such as `500`, `"29.99"` or `0.0009` exactly; at most six decimals, never negative.
 * A JSON or YAML number is read by its shortest decimal spelling, so that 0.1 is a tenth. One that is spelt with an
 * exponent is out of range on either side: below a micro-dollar it would be rounded, from 1e21 on it is no amount.
 * @throws RangeError naming the value where it is not such an amount.
 */
export function parseUsd(value: string | number): Micros {
  const text = typeof value === "number" ? String(value) : value.trim().replace(/^\$/, "");
  const match = USD_PATTERN.exec(text);
  if (!match) throw new RangeError(`"${value}" is not a dollar amount (like 500, 29.99 or 0.0009, up to six decimals)`);
  const micros = BigInt(match[1]!) * MICROS_PER_USD + BigInt((match[2] ?? "").padEnd(6, "0"));
  if (micros > MICROS_MAX)
    throw new RangeError(`${value} dollars is more than Keybrake keeps (${formatUsd(MICROS_MAX)})`);
  return micros;
}

/** `29.99`, `500.00`, `0.0009`, `-3.50`: at least two decimals, no more than are needed, never rounded. */
export function formatUsd(micros: Micros): string {
  const negative = micros < 0n;
  const absolute = negative ? -micros : micros;
  return `${negative ? "-" : ""}${absolute / MICROS_PER_USD}.${decimals(absolute % MICROS_PER_USD)}`;
}

const MICROS_PER_CENT = 10_000n;

/** Two of them for whole cents, which nearly every amount is; else as many of six as are needed. */
function decimals(micros: Micros): string {
  if (micros % MICROS_PER_CENT === 0n) return (micros / MICROS_PER_CENT).toString().padStart(2, "0");
  return micros.toString().padStart(6, "0").replace(/0+$/, "");
}

/** Integer division that rounds up, the direction "against the agent" for everything that is charged. */
export function divideCeil(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator > 0n ? quotient + 1n : quotient;
}
