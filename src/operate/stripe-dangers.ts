/** Permissions that are worse than they look; one of charges and refunds would be two on a form that keeps them apart. */
export interface StripeDanger {
  readonly permissions: readonly string[];
  readonly message: string;
}

const DANGERS: readonly StripeDanger[] = [
  {
    permissions: ["rak_charge_write"],
    message:
      "on Stripe's form one tick both charges and refunds: a stuck loop can drain the balance by refunds, and charge cards anew",
  },
  {
    permissions: ["rak_payout_write"],
    message: "money that is paid out to a bank does not come back",
  },
  {
    // Stripe sends an undelivered event again for up to three days: docs.stripe.com/webhooks/process-undelivered-events.
    permissions: ["rak_webhook_write"],
    message:
      "a leaked key can send every coming event elsewhere, and the endpoint outlives the key: Stripe repeats deliveries for up to three days",
  },
  {
    permissions: ["rak_connected_account_write"],
    message: "changes who the connected accounts are and where they are paid out: the whole platform is at stake",
  },
];

/** What to be warned of in a set of permissions, each where all of its permissions are there. */
export function dangersOf(permissions: ReadonlySet<string>): readonly StripeDanger[] {
  return DANGERS.filter((danger) => danger.permissions.every((permission) => permissions.has(permission)));
}
