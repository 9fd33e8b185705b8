// Charges the run's customers with the key that `keybrake run` has put into the environment.
const { KEYBRAKE_BASE_URL: base, KEYBRAKE_VAULT_KEY: key, JOB_NAME: job } = process.env;
const customers = process.env.CUSTOMERS.split(",");

/** What the CronJob's podFailurePolicy takes for final. */
const STOPPED_BY_CAP = 75;

for (const customer of customers) {
  const fields = { amount: "2999", currency: "usd", customer, confirm: "true", payment_method: "pm_card_visa" };
  const answer = await fetch(`${base}/v1/payment_intents`, {
    method: "POST",
    // The job's name is the same in a second Pod of the job, so that a customer is charged once.
    headers: { Authorization: `Bearer ${key}`, "Idempotency-Key": `${job}-${customer}` },
    body: new URLSearchParams(fields),
  });
  if (answer.headers.get("x-keybrake-cap-hit") === "true") {
    console.log(`stopped by the cap at ${customer}`);
    process.exit(STOPPED_BY_CAP);
  }
  if (!answer.ok) throw new Error(`${customer}: ${answer.status} ${await answer.text()}`);
}
