import { afterAll, beforeAll, expect, test } from "bun:test";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Resend } from "resend";
import Stripe from "stripe";
import twilio from "twilio";
import type { Fields } from "../../../src/core/call.ts";
import { parseBodyKind } from "../../../src/proxy/parse/content-type.ts";
import { formOptions, parseForm } from "../../../src/proxy/parse/form.ts";
import { parseHeaders } from "../../../src/proxy/parse/headers.ts";
import { parseStrictJson } from "../../../src/proxy/parse/json.ts";
import { parseQuery } from "../../../src/proxy/parse/query.ts";
import { parseTarget } from "../../../src/proxy/parse/target.ts";
import { accepted } from "./verdicts.ts";

const VENDORS: ReadonlySet<string> = new Set(["stripe", "twilio", "resend"]);
const FORM = formOptions(new Set(["MediaUrl"]));

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: string[];
  readonly body: Buffer;
}

let server: Server;
let port = 0;
let seen: Seen[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push({
        method: request.method!,
        target: request.url!,
        rawHeaders: request.rawHeaders,
        body: Buffer.concat(chunks),
      });
      response.setHeader("content-type", "application/json");
      response.end('{"id":"x","sid":"SM1","object":"list","data":[],"messages":[]}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Everything that the calls of `run` sent, parsed as the proxy does; throws where any of it is refused. */
async function parsedCalls(run: () => Promise<unknown>) {
  seen = [];
  await run();
  expect(seen.length).toBeGreaterThan(0);
  return seen.map(({ method, target, rawHeaders, body }) => {
    const { headers } = accepted(parseHeaders(rawHeaders));
    const { vendor, path, query } = accepted(parseTarget(target, VENDORS));
    const kind = accepted(parseBodyKind(headers.get("content-type"), body.length));
    let fields: Fields = accepted(parseQuery(query, FORM));
    if (kind === "form") fields = accepted(parseForm(body, FORM));
    if (kind === "json") fields = accepted(parseStrictJson(body)).fields;
    return { vendor, call: `${method} ${path}`, kind, fields: Object.fromEntries(fields) };
  });
}

test("every byte of stripe-node's calls is accepted and read as it was meant", async () => {
  const stripe = new Stripe("sk_test_real_secret", { host: "127.0.0.1", port, protocol: "http" });
  const calls = await parsedCalls(async () => {
    await stripe.paymentIntents.create({
      amount: 100,
      currency: "usd",
      metadata: { note: "a b&c;é=[x]", sum: "1+1" },
      expand: ["customer"],
      description: "",
    });
    await stripe.customers.list({ limit: 3, created: { gte: 5 } });
    await stripe.customers.search({ query: "email:'a@b.c' AND name:\"x\"" });
    await stripe.customers.retrieve("cus_1");
    await stripe.coupons.retrieve("gold:a@b");
    await stripe.subscriptions.cancel("sub_1", { prorate: true });
  });
  expect(calls).toEqual([
    {
      vendor: undefined,
      call: "POST /v1/payment_intents",
      kind: "form",
      fields: {
        amount: "100",
        currency: "usd",
        "metadata[note]": "a b&c;é=[x]",
        "metadata[sum]": "1+1",
        "expand[0]": "customer",
        description: "",
      },
    },
    { vendor: undefined, call: "GET /v1/customers", kind: "none", fields: { limit: "3", "created[gte]": "5" } },
    {
      vendor: undefined,
      call: "GET /v1/customers/search",
      kind: "none",
      fields: { query: "email:'a@b.c' AND name:\"x\"" },
    },
    { vendor: undefined, call: "GET /v1/customers/cus_1", kind: "none", fields: {} },
    { vendor: undefined, call: "GET /v1/coupons/gold%3Aa%40b", kind: "none", fields: {} },
    { vendor: undefined, call: "DELETE /v1/subscriptions/sub_1", kind: "none", fields: { prorate: "true" } },
  ]);
});

test("every byte of twilio-node's calls is accepted and read as it was meant", async () => {
  const account = `AC${"0".repeat(32)}`;
  const client = twilio(account, "auth_token");
  client.api.baseUrl = `http://127.0.0.1:${port}/twilio`;
  const calls = await parsedCalls(async () => {
    await client.messages.create({
      to: "+15551234567",
      from: "+15550000000",
      body: "hé\nllo; a&b",
      mediaUrl: ["https://a/1", "https://a/2"],
    });
    await client.messages.list({ limit: 2, dateSentAfter: new Date(0) });
  });
  expect(calls).toEqual([
    {
      vendor: "twilio",
      call: `POST /2010-04-01/Accounts/${account}/Messages.json`,
      kind: "form",
      fields: {
        To: "+15551234567",
        From: "+15550000000",
        Body: "hé\nllo; a&b",
        "MediaUrl[0]": "https://a/1",
        "MediaUrl[1]": "https://a/2",
      },
    },
    {
      vendor: "twilio",
      call: `GET /2010-04-01/Accounts/${account}/Messages.json`,
      kind: "none",
      fields: { "DateSent>": "1970-01-01T00:00:00Z", PageSize: "2" },
    },
  ]);
});

test("every byte of resend-node's calls is accepted, also with a trailing slash in its base URL", async () => {
  const email = { from: "a@b.c", to: ["x@y.z", "u@v.w"], subject: 'hé "q"', html: "<p>1</p>\n" };
  const resend = new Resend("re_test_real_secret", { baseUrl: `http://127.0.0.1:${port}/resend/` });
  const calls = await parsedCalls(async () => {
    await resend.emails.send(email);
    await resend.batch.send([email]);
    await resend.emails.get("e_1");
  });
  const leaves = (prefix: string) =>
    Object.fromEntries(
      [
        ["from", "a@b.c"],
        ["html", "<p>1</p>\n"],
        ["subject", 'hé "q"'],
        ["to[0]", "x@y.z"],
        ["to[1]", "u@v.w"],
      ].map(([name, value]) => [prefix === "" ? name! : prefix + name!.replace(/^(\w+)/, "[$1]"), value!]),
    );
  expect(calls).toEqual([
    { vendor: "resend", call: "POST /emails", kind: "json", fields: leaves("") },
    { vendor: "resend", call: "POST /emails/batch", kind: "json", fields: leaves("[0]") },
    { vendor: "resend", call: "GET /emails/e_1", kind: "none", fields: {} },
  ]);
});
