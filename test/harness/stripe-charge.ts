import type { Bench, IssuedKey } from "./keybrake.ts";

/** A PaymentIntent that is charged at once, as a Stripe SDK writes it. */
export const FIVE_DOLLARS = "amount=500&currency=usd&confirm=true&payment_method=pm_card_visa";

/** A key that may create PaymentIntents for an hour, up to `dailyUsdCap` dollars a day. */
export function issueChargeKey(
  bench: Bench,
  dailyUsdCap: string,
  label: string,
  flags: readonly string[] = [],
): Promise<IssuedKey> {
  const policy = ["--vendor", "stripe", "--daily-usd-cap", dailyUsdCap];
  const endpoints = ["--allowed-endpoints", "POST /v1/payment_intents"];
  return bench.json<IssuedKey>([
    "key",
    "issue",
    ...policy,
    ...endpoints,
    "--expires-in",
    "1h",
    "--label",
    label,
    ...flags,
  ]);
}

/** Charges `FIVE_DOLLARS`. @param description by which the vendor's double tells calls apart. */
export function charge(
  { url }: { readonly url: string },
  { vault_key }: Pick<IssuedKey, "vault_key">,
  description?: string,
): Promise<Response> {
  return fetch(`${url}/stripe/v1/payment_intents`, {
    method: "POST",
    headers: { authorization: `Bearer ${vault_key}`, "content-type": "application/x-www-form-urlencoded" },
    body: description === undefined ? FIVE_DOLLARS : `${FIVE_DOLLARS}&description=${description}`,
  });
}
