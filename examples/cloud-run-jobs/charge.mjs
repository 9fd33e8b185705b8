// One task of the job: charges its part of the customers.
const { RUN, VAULT_KEY, STRIPE_BASE, CUSTOMERS } = process.env;
const task = Number(process.env.CLOUD_RUN_TASK_INDEX);
const tasks = Number(process.env.CLOUD_RUN_TASK_COUNT);
const own = CUSTOMERS.split(",").filter((_, index) => index % tasks === task);

for (const customer of own) {
  const fields = { amount: "2999", currency: "usd", customer, confirm: "true", payment_method: "pm_card_visa" };
  const answer = await fetch(`${STRIPE_BASE}/v1/payment_intents`, {
    method: "POST",
    // The same in a task that is tried again, so that a customer is charged once.
    headers: { Authorization: `Bearer ${VAULT_KEY}`, "Idempotency-Key": `${RUN}-${customer}` },
    body: new URLSearchParams(fields),
  });
  if (answer.headers.get("x-keybrake-cap-hit") === "true") {
    // Exit code 0: with another one Cloud Run tries the task again, up to maxRetries.
    console.log(JSON.stringify({ severity: "WARNING", message: `stopped by the cap at ${customer}` }));
    break;
  }
  if (!answer.ok) throw new Error(`${customer}: ${answer.status} ${await answer.text()}`);
}
