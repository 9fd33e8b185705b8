import { type Currency, currencyExponent } from "../../core/currency.ts";
import type { SandboxRequest } from "../exchange.ts";
import { refuse } from "./error.ts";

/** Stripe takes at most eight digits for most currencies (docs.stripe.com/currencies). */
const AMOUNT_MAX = 99_999_999;
const METADATA_KEYS_MAX = 50;
const METADATA_VALUE_CHARACTERS_MAX = 500;

export type Metadata = Readonly<Record<string, string>>;

/** The parameters of one v1 request, read the way Stripe validates them: 400 with the `param` that is wrong. */
export class StripeForm {
  readonly #fields: URLSearchParams;

  private constructor(fields: URLSearchParams) {
    this.#fields = fields;
  }

  /**
   * The body of a POST, the query of anything else.
   * @throws Refusal 400 for a JSON body, which v1 does not take.
   */
  static of(request: SandboxRequest): StripeForm {
    if (request.method !== "POST") return new StripeForm(request.query);
    if (/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) {
      refuse("Invalid request (check that your POST content type is application/x-www-form-urlencoded).");
    }
    return new StripeForm(new URLSearchParams(request.body));
  }

  /** Undefined where absent or empty: an empty string is how Stripe's clients unset a parameter. */
  text(name: string): string | undefined {
    return this.#fields.get(name) || undefined;
  }

  /** @throws Refusal 400 `parameter_missing`. */
  requiredText(name: string): string {
    return this.text(name) ?? refuse(`Missing required param: ${name}.`, name, "parameter_missing");
  }

  /** @throws Refusal 400 where it is no whole number of minor units that Stripe would take. */
  amount(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^-?[0-9]+$/.test(text)) refuse(`Invalid integer: ${text}`, name, "parameter_invalid_integer");
    const amount = Number(text);
    if (amount < 1) refuse("This value must be greater than or equal to 1.", name, "parameter_invalid_integer");
    if (amount > AMOUNT_MAX) {
      refuse(`Amount must be no more than ${AMOUNT_MAX} in the currency's minor unit.`, name, "amount_too_large");
    }
    return amount;
  }

  requiredAmount(name: string): number {
    this.requiredText(name);
    return this.amount(name)!;
  }

  /** Lower-cased, as Stripe answers it. @throws Refusal 400 for one that Stripe does not know. */
  requiredCurrency(): Currency {
    const currency = this.requiredText("currency").toLowerCase();
    if (currencyExponent(currency) === undefined) refuse(`Invalid currency: ${currency}.`, "currency");
    return currency;
  }

  /** @throws Refusal 400 for anything but `true` and `false`. */
  flag(name: string): boolean | undefined {
    const text = this.text(name);
    if (text !== undefined && text !== "true" && text !== "false") refuse(`Invalid boolean: ${text}`, name);
    return text === undefined ? undefined : text === "true";
  }

  /** @throws Refusal 400 for a value that is not in `allowed`. */
  choice<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.text(name);
    const found = allowed.find((value) => value === text);
    if (text !== undefined && found === undefined)
      refuse(`Invalid ${name}: must be one of ${allowed.join(", ")}`, name);
    return found;
  }

  /** The members of a list, `name[]=a&name[0]=b`, in the order in which they were sent. */
  texts(name: string): string[] {
    const prefix = `${name}[`;
    return [...this.#fields].flatMap(([sent, value]) =>
      sent.startsWith(prefix) && /^[0-9]*\]$/.test(sent.slice(prefix.length)) ? [value] : [],
    );
  }

  /** `previous` with the request's `metadata[…]` laid over it; an empty value removes its key. */
  metadata(previous: Metadata = {}): Metadata {
    const merged = new Map(Object.entries(previous));
    for (const [name, value] of this.#fields) {
      const key = /^metadata\[(.{1,40})\]$/s.exec(name)?.[1];
      if (key === undefined) continue;
      if (value.length > METADATA_VALUE_CHARACTERS_MAX) {
        refuse(`Metadata values can have up to ${METADATA_VALUE_CHARACTERS_MAX} characters.`, name);
      }
      if (value === "") merged.delete(key);
      else merged.set(key, value);
    }
    if (merged.size > METADATA_KEYS_MAX) refuse(`Metadata can have up to ${METADATA_KEYS_MAX} keys.`, "metadata");
    return Object.fromEntries(merged);
  }
}
