const MINOR_AMOUNT = /^[1-9][0-9]{0,11}$/;

/**
 * An amount in the currency's minor unit (cents, or yen), as a request must write it: 1 to 999,999,999,999, ASCII
 * digits only. `1e9`, `+5`, `-5`, `0100`, `1.5`, `0` and full-width digits are undefined: vendors and Keybrake could
 * read each of them differently.
 */
export function parseMinorAmount(text: string): bigint | undefined {
  return MINOR_AMOUNT.test(text) ? BigInt(text) : undefined;
}
