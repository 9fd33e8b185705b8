// Runs on Node, where agents run: one official SDK with one set of options makes the same call with one key after
// another, and prints what it gave for each as JSON.
// Argument: { sdk, surface, options, accountSid, runs: [{ name, url, key, calls }] }
const plan = JSON.parse(process.argv[2]);
// An SDK that warns on stdout would break the JSON.
console.log = console.error;

const CHARGE = { amount: 800, currency: "usd", confirm: true, payment_method: "pm_card_visa" };
const MAIL = { from: "a@example.com", to: "b@example.org", subject: "hi", text: "hello" };

function stripe(Stripe, { url, key }) {
  const { hostname, port } = new URL(url);
  const client = new Stripe(key, { host: hostname, port: Number(port), protocol: "http", ...plan.options });
  return () => client.paymentIntents.create(CHARGE);
}

/** What a user of the SDK writes, by package or by the part of it: each gives a function that makes the call. */
const CLIENTS = {
  stripe: async (run) => stripe((await import("stripe")).default, run),
  "stripe-v22": async (run) => stripe((await import("stripe-v22")).default, run),
  "stripe-v20": async (run) => stripe((await import("stripe-v20")).default, run),

  async twilio({ url, key }) {
    const { default: twilio } = await import("twilio");
    const client = twilio(plan.accountSid, key, plan.options);
    client.api.baseUrl = `${url}/twilio`;
    return () => client.messages.create({ to: "+14155550100", from: "+14155550199", body: "hello" });
  },

  async resend({ url, key }) {
    const { Resend } = await import("resend");
    const client = new Resend(key, { baseUrl: `${url}/resend`, ...plan.options });
    return () => client.emails.send(MAIL);
  },

  async postmark({ url, key }) {
    const { ServerClient } = await import("postmark");
    const requestHost = `${new URL(url).host}/postmark`;
    const client = new ServerClient(key, { useHttps: false, requestHost, ...plan.options });
    return () => client.sendEmail({ From: MAIL.from, To: MAIL.to, Subject: MAIL.subject, TextBody: MAIL.text });
  },

  async "@sendgrid/mail"({ url, key }) {
    const { default: service } = await import("@sendgrid/mail");
    service.setApiKey(key);
    // After setApiKey, which sets the address anew.
    service.client.setDefaultRequest("baseUrl", `${url}/sendgrid/`);
    return () => service.send(MAIL);
  },

  async "@segment/analytics-node"({ url, key }) {
    const { Analytics } = await import("@segment/analytics-node");
    return async () => {
      const options = { writeKey: key, host: url, path: "/segment/v1/batch", flushAt: 1, ...plan.options };
      const client = new Analytics(options);
      const failed = new Promise((resolve) => client.on("error", resolve));
      const delivered = new Promise((resolve, reject) => {
        client.track({ userId: "user_1", event: "Order Paid" }, (error) => (error ? reject(error) : resolve()));
      });
      try {
        await delivered;
      } catch {
        throw await failed;
      } finally {
        await client.closeAndFlush();
      }
    };
  },

  async "shopify-rest"({ url, key }) {
    const { createAdminRestApiClient } = await import("@shopify/admin-api-client");
    const { host } = new URL(url);
    const client = createAdminRestApiClient({ ...SHOPIFY, storeDomain: host, scheme: "http", accessToken: key });
    const refund = {
      currency: "USD",
      transactions: [{ parent_id: 1, amount: "8.00", kind: "refund", gateway: "bogus" }],
    };
    return () => client.post("orders/450789469/refunds", { data: { refund }, ...plan.options });
  },

  async "shopify-graphql"({ url, key }) {
    const { createAdminApiClient } = await import("@shopify/admin-api-client");
    const storeDomain = "https://keybrake-test.myshopify.com";
    // This client takes https and an origin only; its documented hook for everything else has to change the address.
    const customFetchApi = (target, init) => fetch(target.replace(storeDomain, `${url}/shopify`), init);
    const client = createAdminApiClient({ ...SHOPIFY, storeDomain, accessToken: key, customFetchApi, ...plan.options });
    return () => client.request("query { shop { name } }");
  },
};

const SHOPIFY = { apiVersion: "2026-07" };

/**
 * Some SDKs throw, some return an error, an answer with errors, or the bare answer. `error` is what a user tells one from
 * another by, `said` all that there is to read.
 */
async function resultOf(thrown, value) {
  if (value instanceof Response) {
    return value.ok ? { ok: true } : { ok: false, error: "Response", status: value.status, said: await value.text() };
  }
  const error = thrown ?? value?.error ?? value?.errors;
  if (!error) return { ok: true };
  const { response, reason } = error;
  const body = response instanceof Response ? await response.text() : JSON.stringify(response?.body);
  return {
    ok: false,
    error: error instanceof Error ? error.constructor.name : (error.name ?? error.code ?? "errors"),
    // Segment has it in a text alone: "[403] Forbidden".
    status:
      error.statusCode ?? error.status ?? error.networkStatusCode ?? Number(/[0-9]{3}/.exec(reason ?? error.code)),
    said: [error.message, reason, body].join("\n"),
  };
}

async function attempt(call) {
  try {
    return await resultOf(undefined, await call());
  } catch (error) {
    return resultOf(error);
  }
}

const results = {};
for (const run of plan.runs) {
  const call = await CLIENTS[plan.surface ?? plan.sdk](run);
  results[run.name] = [];
  for (let count = 0; count < run.calls; count++) results[run.name].push(await attempt(call));
}
// stripe-node leaves the bodies of answers that it retries unread, and their connections would keep the process.
process.stdout.write(JSON.stringify(results), () => process.exit());
