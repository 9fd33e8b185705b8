import { readDeclarations } from "../../../src/vendors/declared/read.ts";
import type { Vendor } from "../../../src/vendors/vendor.ts";

/** A vendor that has something of everything that can be declared; `keybrake.yaml` would have it as it stands here. */
export const ACME = `vendors:
  acme:
    title: Acme
    origin: https://api.acme.example
    hosts: { files: "https://files.acme.example" }
    credential: { scheme: bearer, word: Token, body_field: apiKey, sdk_headers: [X-Acme-Key] }
    unprefixed: [/acme-api]
    request_headers: [X-Acme-Version]
    request_id_header: X-Acme-Request
    idempotency: always
    body: [json, form]
    repeatable_fields: [tag]
    released_statuses: [429]
    probe: /acme-api/me
    operations:
      - { name: keys, route: ["* /acme-api/keys", "* /acme-api/keys/**"], class: closed, reason: returns an API key }
      - { name: audits, route: POST /acme-api/audits, class: unknown, reason: is billed by the hour }
      - name: images.create
        route: POST /acme-api/images
        class: priced
        price: { usd: 0.04, name: acme.image, count: [{ number: /n, missing: 1, max: 10 }] }
        answer: { id: /id, units: /made }
      - name: texts.send
        route: POST /acme-api/texts
        class: priced
        kind: message
        price: { usd: 0.05, count: [{ items: To }] }
        scope: { recipients: [To], senders: [From] }
      - name: mails.send
        route: POST /acme-api/mails
        class: priced
        kind: email
        price:
          usd: 1.50
          per: 1000
          each: /mails
          each_max: 3
          count: [{ addresses: /to }, { addresses: /bcc, missing: 0 }]
        scope: { senders: [/from], customer: /account }
        mail_headers: /headers
        forbid: [{ field: /audience, reason: sends to people that the request does not name }]
      - name: charges.create
        route: POST /acme-api/charges
        class: priced
        kind: charge
        price: { amount: { at: amount, unit: minor, currency: "[currency]" } }
        answer: { id: /charge/id, amount: /charge/amount }
        scope: { customer: customer }
      - name: payouts.create
        route: POST /acme-api/payouts
        class: priced
        kind: payout
        price: { each: "", amount: { at: /amount, unit: decimal, currency: usd } }
        answer: { usd: /total }
      - { name: flat, route: "POST /acme-api/reports", class: priced, price: { usd: 2 } }
      - { name: reads, route: "GET /acme-api/**", class: free }
`;

/** The one vendor of a sound text. */
export function declared(text: string = ACME): Vendor {
  const { vendors, problems } = readDeclarations(text, []);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return vendors[0]!;
}
