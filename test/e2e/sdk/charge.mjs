// An agent as its author wrote it: it knows nothing of Keybrake but the variables that `keybrake run` sets.
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import Stripe from "stripe";

const { protocol, hostname, port } = new URL(process.env.STRIPE_API_BASE);
const stripe = new Stripe(process.env.STRIPE_API_KEY, { protocol: protocol.slice(0, -1), host: hostname, port });

async function charge() {
  try {
    const { status } = await stripe.paymentIntents.create({
      amount: 2000,
      currency: "usd",
      customer: "cus_1",
      confirm: true,
      payment_method: "pm_card_visa",
    });
    return status;
  } catch (error) {
    return `${error.type} ${error.code}`;
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGUSR2"]) process.on(signal, () => console.log(signal));
if (process.env.AGENT_FILE) {
  // Outlives whoever has started it, and charges at each SIGHUP.
  setInterval(() => {}, 1_000);
  process.on("SIGHUP", async () => appendFileSync(process.env.AGENT_FILE, `${await charge()}\n`));
}
console.log(`ready ${process.pid}`);
// One charge for each line of stdin, until it ends; `exit N` ends with N.
for await (const line of createInterface({ input: process.stdin })) {
  if (line.startsWith("exit ")) process.exit(Number(line.slice(5)));
  console.log(await charge());
}
