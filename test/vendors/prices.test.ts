import { describe, expect, test } from "bun:test";
import type { Micros } from "../../src/core/money.ts";
import { shownName } from "../../src/vendors/price-name.ts";
import { resend } from "../../src/vendors/resend.ts";
import { stripe } from "../../src/vendors/stripe.ts";
import { LOOKUP_PACKAGES, VERIFY_CHANNELS } from "../../src/vendors/twilio/prices.ts";
import { twilio } from "../../src/vendors/twilio.ts";
import type { Pricing, Vendor } from "../../src/vendors/vendor.ts";
import { declared } from "./declared/declare.ts";
import { type CallParts, makeCall, operationFor } from "./make-call.ts";

const ROOT = `/2010-04-01/Accounts/AC${"0".repeat(32)}`;
const CALL_SID = `CA${"a".repeat(32)}`;
const US = "+14155550100";
const SAY = "<Response><Say>Hello</Say></Response>";
const SERVICE = "/verify/v2/Services/VA1";
const A2P = "/messaging/v1/a2p/BrandRegistrations";
const NUMBERS = `POST ${ROOT}/IncomingPhoneNumbers.json`;
const CALLS = `POST ${ROOT}/Calls.json`;
const TO_NUMBER = { To: US, Twiml: SAY };
const EMAIL = { from: "a@example.com", to: "b@example.com" };

type Priced = readonly [line: string, parts: CallParts];

/** For each price a call that costs it. */
const TWILIO: Readonly<Record<string, Priced>> = {
  "twilio.sms.+…": [`POST ${ROOT}/Messages.json`, { form: { To: US, From: US, Body: "hi" } }],
  "twilio.mms.+…": [`POST ${ROOT}/Messages.json`, { form: { To: US, From: US, MediaUrl: "https://example.com" } }],
  "twilio.voice.+…": [CALLS, { form: TO_NUMBER }],
  "twilio.number.+…": [NUMBERS, { form: { PhoneNumber: US } }],
  "twilio.number.local": [NUMBERS, { form: { AreaCode: "415" } }],
  "twilio.number.toll_free": [NUMBERS, { form: { AreaCode: "800" } }],
  "twilio.number.routing": [
    `POST ${ROOT}/Applications/AP1.json`,
    { form: { VoiceUrl: "https://example.com/instructions" } },
  ],
  "twilio.voice.sip": [CALLS, { form: { ...TO_NUMBER, To: "sip:a@example.com" } }],
  "twilio.voice.client": [CALLS, { form: { ...TO_NUMBER, To: "client:ray" } }],
  "twilio.voice.instructions": [CALLS, { form: { To: US, Url: "https://example.com/instructions" } }],
  "twilio.voice.redirect": [`POST ${ROOT}/Calls/${CALL_SID}.json`, { form: { Twiml: SAY } }],
  "twilio.voice.say": [CALLS, { form: TO_NUMBER }],
  "twilio.voice.recording": [CALLS, { form: { ...TO_NUMBER, Record: "true" } }],
  "twilio.voice.machine_detection": [CALLS, { form: { ...TO_NUMBER, MachineDetection: "Enable" } }],
  "twilio.voice.conference": [`POST ${ROOT}/Conferences/room/Participants.json`, { form: { To: US, From: US } }],
  "twilio.voice.stream": [`POST ${ROOT}/Calls/${CALL_SID}/Streams.json`, {}],
  "twilio.voice.siprec": [`POST ${ROOT}/Calls/${CALL_SID}/Siprec.json`, {}],
  "twilio.voice.transcription": [`POST ${ROOT}/Calls/${CALL_SID}/Transcriptions.json`, {}],
  "twilio.verify.approval": [`POST ${SERVICE}/Verifications`, { form: { To: US, Channel: "sms" } }],
  "twilio.verify.check": [`POST ${SERVICE}/VerificationCheck`, { form: { To: US, Code: "123456" } }],
  "twilio.verify.factor": [`POST ${SERVICE}/Entities/e/Factors`, {}],
  "twilio.verify.challenge": [`POST ${SERVICE}/Entities/e/Challenges`, {}],
  "twilio.verify.notification": [`POST ${SERVICE}/Entities/e/Challenges/YC1/Notifications`, {}],
  "twilio.verify.passkey": [`POST ${SERVICE}/Passkeys/Factors`, {}],
  "twilio.lookup.override": [`PUT /lookups/v2/PhoneNumbers/${US}/Overrides/line_type`, {}],
  "twilio.a2p.brand": [`POST ${A2P}`, {}],
  "twilio.a2p.campaign": ["POST /messaging/v1/Services/MG1/Compliance/Usa2p", {}],
  "twilio.a2p.vetting": [`POST ${A2P}/BN1/Vettings`, {}],
  "twilio.a2p.otp": [`POST ${A2P}/BN1/SmsOtp`, {}],
  ...Object.fromEntries(
    VERIFY_CHANNELS.flatMap((channel): [string, Priced][] => {
      const start: Priced = [`POST ${SERVICE}/Verifications`, { form: { To: US, Channel: channel } }];
      const byNumber: [string, Priced][] = channel === "email" ? [] : [[`twilio.verify.${channel}.+…`, start]];
      return [[`twilio.verify.${channel}`, start], ...byNumber];
    }),
  ),
  ...Object.fromEntries(
    LOOKUP_PACKAGES.map((name) => [
      `twilio.lookup.${name}`,
      [`GET /lookups/v2/PhoneNumbers/${US}`, { query: { Fields: name } }],
    ]),
  ),
};

const STRIPE: Readonly<Record<string, Priced>> = {
  tax_calculation: ["POST /v1/tax/calculations", {}],
  tax_transaction: ["POST /v1/tax/transactions/create_from_calculation", {}],
  dispute_counter: ["POST /v1/disputes/dp_1", {}],
  identity_verification: ["POST /v1/identity/verification_sessions", {}],
  financial_connections: ["POST /v1/financial_connections/accounts/fca_1/refresh", {}],
  microdeposits: ["POST /v2/core/vault/us_bank_accounts/usba_1/send_microdeposits", { json: {} }],
  radar_evaluation: ["POST /v1/radar/payment_evaluations", {}],
  three_d_secure: ["POST /v1/three_d_secure/authentications", {}],
};

const ACME: Readonly<Record<string, Priced>> = {
  "acme.image": ["POST /acme-api/images", { json: { n: 2 } }],
  "acme.texts.send": ["POST /acme-api/texts", { form: { "To[0]": US } }],
  "acme.mails.send": ["POST /acme-api/mails", { json: { mails: [{ to: "a@example.com", from: "b@example.com" }] } }],
  "acme.flat": ["POST /acme-api/reports", { json: {} }],
};

/** Prices that cost nothing at the start of a call, and where they are read instead. */
const READ_LATER: Readonly<Record<string, (pricing: Pricing) => Micros | undefined>> = {
  "twilio.sms.failed": (pricing) =>
    twilio.reconciledCost!({ sid: `SM${"a".repeat(32)}`, status: "failed", price: null }, pricing)?.micros,
};

const VENDORS: readonly (readonly [vendor: Vendor, calls: Readonly<Record<string, Priced>>])[] = [
  [twilio, TWILIO],
  [stripe, STRIPE],
  [resend, { "resend.email": ["POST /emails", { json: EMAIL }] }],
  [declared(), ACME],
];

/** The operator's prices, with what is asked for. */
class SpiedPrices extends Map<string, Micros> {
  readonly asked = new Set<string>();

  override get(name: string): Micros | undefined {
    this.asked.add(name);
    return super.get(name);
  }
}

/** A dollar for everything, `name` dearer. A beginning of a number as long as the number is the one that decides. */
function pricesWith(vendor: Vendor, name: string, micros: Micros): SpiedPrices {
  const flat = vendor.prices.filter(({ byPrefix }) => !byPrefix);
  const prices = new SpiedPrices(flat.map((price) => [price.name, 1_000_000n]));
  prices.set(name.replace("+…", US), micros);
  return prices;
}

function heldFor(vendor: Vendor, [line, parts]: Priced, prices: SpiedPrices): Micros | string {
  const call = makeCall(line, parts);
  const exposure = operationFor(vendor, call).exposure!(call, { currencyRates: new Map(), prices }, new Map());
  return exposure.ok ? exposure.micros : exposure.code;
}

describe.each(VENDORS.map(([vendor, calls]) => [vendor.title, vendor, calls] as const))(
  "%s's prices",
  (_title, vendor, calls) => {
    const names = vendor.prices.map(shownName);

    test("are declared once each, with what they are the price of", () => {
      expect(names.length).toBe(new Set(names).size);
      for (const { unit, builtIn, byPrefix, otherwise } of vendor.prices) {
        expect(unit.length).toBeGreaterThan(5);
        for (const { asOf, source } of [...(builtIn ? [builtIn] : []), ...(byPrefix ?? [])]) {
          expect(asOf ?? "2026-01").toMatch(/^20\d\d-(?:0[1-9]|1[0-2])(?:-[0-3]\d)?$/);
          expect(source.length).toBeGreaterThan(5);
        }
        if (otherwise !== undefined) expect(builtIn).toBeUndefined();
      }
    });

    test("have a call in this test, each of them, and none besides", () => {
      const tested = [...Object.keys(calls), ...Object.keys(READ_LATER).filter((name) => names.includes(name))];
      expect(tested.toSorted()).toEqual(names.toSorted());
    });

    test.each(Object.keys(calls))("are in force as soon as they are set: %s", (name) => {
      const held = (micros: Micros) => heldFor(vendor, calls[name]!, pricesWith(vendor, name, micros));
      expect(held(2_000_000n)).toBeTypeOf("bigint");
      expect(held(3_000_000n)).toBeGreaterThan(held(2_000_000n) as Micros);
    });

    test("are all that its code asks for", () => {
      const declared = new Set(vendor.prices.filter(({ byPrefix }) => !byPrefix).map(({ name }) => name));
      const tables = vendor.prices.filter(({ byPrefix }) => byPrefix).map(({ name }) => name);
      for (const call of Object.values(calls)) {
        const prices = pricesWith(vendor, "", 0n);
        heldFor(vendor, call, prices);
        expect(prices.asked.size).toBeGreaterThan(0);
        const strange = [...prices.asked].filter(
          (name) => !declared.has(name) && !tables.some((table) => /^\+[0-9]*$/.test(withoutStart(name, table))),
        );
        expect(strange).toEqual([]);
      }
    });
  },
);

function withoutStart(name: string, start: string): string {
  return name.startsWith(start) ? name.slice(start.length) : "";
}

test.each(Object.entries(READ_LATER))("%s is in force as soon as it is set", (name, read) => {
  const micros = (price: Micros) => read({ currencyRates: new Map(), prices: new Map([[name, price]]) });
  expect([micros(7n), micros(8n)]).toEqual([7n, 8n]);
});

test("a built-in price is what is held where the operator has none", () => {
  const none = new SpiedPrices();
  for (const [vendor, calls] of VENDORS) {
    for (const { name, builtIn } of vendor.prices) {
      // Where a call costs this one price and nothing else.
      const alone = vendor !== twilio || /\.(?:local|toll_free|check)$/.test(name);
      if (!builtIn || !alone || vendor.name === "acme") continue;
      expect(heldFor(vendor, calls[name]!, none), name).toBe(builtIn.micros);
    }
  }
});

test("a declared price that several operations share is one, at the dearest figure", () => {
  const vendor = declared(`vendors:
  acme:
    title: Acme
    origin: https://api.acme.example
    credential: { scheme: bearer }
    operations:
      - { name: a, route: POST /a, class: priced, price: { usd: 0.5, name: acme.x } }
      - { name: b, route: POST /b, class: priced, price: { usd: 2, name: acme.x, each: /list } }
      - { name: c, route: POST /c, class: priced, price: { usd: 1, name: acme.x } }
      - { name: d, route: POST /d, class: priced, price: { usd: 1, per: 100, count: [{ addresses: /to }] } }
`);
  const source = "its declaration under vendors in keybrake.yaml";
  expect(vendor.prices).toEqual([
    { name: "acme.x", unit: "a call of a, c; an entry of b", builtIn: { micros: 2_000_000n, source } },
    { name: "acme.d", unit: "100 addresses of d", builtIn: { micros: 1_000_000n, source } },
  ]);
});
