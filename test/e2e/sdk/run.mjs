// Runs on Node, where agents run: one official SDK, one call after another, and prints what the SDK made of each as JSON.
// Arguments: { sdk, key, url, options, calls: [[method path, ...arguments]] }
// An argument "$0.id" stands for what the first call gave, wherever in the arguments it is.
const plan = JSON.parse(process.argv[2]);

const clients = {
  async stripe() {
    const { default: Stripe } = await import("stripe");
    const { hostname, port } = new URL(plan.url);
    return new Stripe(plan.key, { host: hostname, port: Number(port), protocol: "http", ...plan.options });
  },
  async twilio() {
    const { default: twilio } = await import("twilio");
    const client = twilio(...plan.credentials, plan.options);
    client.api.baseUrl = `${plan.url}/twilio`;
    return client;
  },
  async resend() {
    const { Resend } = await import("resend");
    return new Resend(plan.key, { baseUrl: `${plan.url}/resend`, ...plan.options });
  },
};

const client = await clients[plan.sdk]();
const results = [];

function resolved(argument) {
  if (Array.isArray(argument)) return argument.map(resolved);
  if (argument && typeof argument === "object") {
    return Object.fromEntries(Object.entries(argument).map(([name, value]) => [name, resolved(value)]));
  }
  const [, index, path] = /^\$([0-9]+)\.(.+)$/.exec(argument) ?? [];
  if (index === undefined) return argument;
  return path.split(".").reduce((object, name) => object?.[name], results[index].value);
}

for (const [path, ...args] of plan.calls) {
  const names = path.split(".");
  const method = names.pop();
  const target = names.reduce((object, name) => object[name], client);
  try {
    const value = await target[method](...args.map(resolved));
    results.push({ ok: !value?.error, value: JSON.parse(JSON.stringify(value)) });
  } catch (error) {
    results.push({
      ok: false,
      name: error.constructor.name,
      message: error.message,
      status: error.statusCode ?? error.status,
      code: error.code,
      type: error.type,
      headers: error.headers,
    });
  }
}
console.log(JSON.stringify(results));
