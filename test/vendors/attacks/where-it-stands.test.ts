import { describe, expect, test } from "bun:test";
import type { Call } from "../../../src/core/call.ts";
import { resend } from "../../../src/vendors/resend.ts";
import { declared } from "../declared/declare.ts";
import { exposureOf, makeCall, operationFor } from "../make-call.ts";
import { postmark } from "./shipped.ts";

const acme = declared(`vendors:
  acme:
    title: Acme
    origin: https://api.acme.example
    credential: { scheme: bearer }
    body: [json, form, multipart, opaque]
    operations:
      - name: images.create
        route: POST /acme/images
        class: priced
        price: { usd: 0.04, count: [{ number: /n, missing: 1 }] }
        forbid: [{ field: /hd, reason: costs more }]
      - name: prints.create
        route: POST /acme/prints
        class: priced
        price: { usd: 0.04, count: [{ number: n, missing: 1 }] }
`);
const IMAGES = "POST /acme/images";
const PRINTS = "POST /acme/prints";

/** A body that is not read at all. */
function unread(line: string, bodyKind: "multipart" | "opaque"): Call {
  return { ...makeCall(line), body: new Uint8Array(9), bodyKind };
}

describe("a number that stands where nobody looks", () => {
  test("is counted where it is declared, and by its default where there is none", () => {
    expect(exposureOf(acme, makeCall(IMAGES, { json: { n: 3 } }))).toMatchObject({ micros: 120_000n });
    expect(exposureOf(acme, makeCall(IMAGES, { json: {} }))).toMatchObject({ micros: 40_000n });
    expect(exposureOf(acme, makeCall(IMAGES))).toMatchObject({ micros: 40_000n });
    expect(exposureOf(acme, makeCall(PRINTS, { form: { n: "3" } }))).toMatchObject({ micros: 120_000n });
    expect(exposureOf(acme, makeCall(PRINTS, { query: { n: "3" } }))).toMatchObject({ micros: 120_000n });
  });

  test.each([
    ["a form in place of JSON", makeCall(IMAGES, { form: { n: "10" } })],
    ["the query beside JSON", makeCall(IMAGES, { json: {}, query: { n: "10" } })],
    ["the query alone", makeCall(IMAGES, { query: { N: "10" } })],
    ["the query as a list", makeCall(IMAGES, { json: {}, query: { "n[0]": "10" } })],
    ["a multipart body", unread(IMAGES, "multipart")],
    ["a multipart body for fields", unread(PRINTS, "multipart")],
    ["a file", unread(PRINTS, "opaque")],
  ])("refuses %s", (_what, call) => {
    expect(exposureOf(acme, call)).toMatchObject({ ok: false, code: "request_rejected" });
  });

  test("is forbidden there, too", () => {
    for (const call of [makeCall(IMAGES, { form: { hd: "1" } }), makeCall(IMAGES, { json: {}, query: { hd: "1" } })]) {
      expect(operationFor(acme, call).refuse?.(call)).toMatchObject({ code: "request_rejected" });
    }
  });

  test("makes no domain of Resend's receive by a name in another letter case", () => {
    const refusal = (json: Readonly<Record<string, string | Readonly<Record<string, string>>>>) => {
      const call = makeCall("POST /domains", { json: { name: "example.com", ...json } });
      return operationFor(resend, call).refuse?.(call)?.code;
    };
    expect(refusal({ capabilities: { sending: "enabled", receiving: "disabled" } })).toBeUndefined();
    expect(refusal({ capabilities: { sending: "enabled" } })).toBeUndefined();
    for (const json of [
      { capabilities: { Receiving: "enabled" } },
      { Capabilities: { receiving: "enabled" } },
      { capabilities: { receiving: "disabled", "receiving ": "enabled" } },
      { capabilities: "receiving" },
    ]) {
      expect(refusal(json as Record<string, string | Record<string, string>>)).toBe("cost_unknown");
    }
  });

  test("is no recipient of a mail beside those in the body", () => {
    const json = { From: "a@example.com", To: "b@example.com", TextBody: "x" };
    expect(exposureOf(postmark, makeCall("POST /email", { json, query: { Bcc: "c@example.com" } }))).toMatchObject({
      ok: false,
    });
    const mail = { from: "a@example.com", to: "b@example.com", subject: "x" };
    for (const [line, body] of [
      ["POST /emails", mail],
      ["POST /emails/batch", [mail]],
    ] as const) {
      expect(exposureOf(resend, makeCall(line, { json: body }))).toMatchObject({ ok: true, sends: 1 });
      const query = { bcc: "c@example.com" };
      expect(exposureOf(resend, makeCall(line, { json: body, query }))).toMatchObject({ ok: false });
    }
  });
});
