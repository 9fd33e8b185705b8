import { describe, expect, test } from "bun:test";
import { readTwiml } from "../../../src/vendors/twilio/twiml.ts";
import { workMs } from "../../harness/work-time.ts";

const within = (verbs: string) => `<Response>${verbs}</Response>`;

describe("TwiML that only speaks, plays, waits or hangs up", () => {
  test.each([
    ["nothing", "<Response/>", 0n],
    ["no speech", within("<Play>https://e.example/a.mp3</Play><Pause length='2'/><Hangup/>"), 0n],
    ["a declaration", `<?xml version="1.0" encoding="UTF-8"?>\n${within("<Say>hi</Say>")}`, 1n],
    ["one block", within(`<Say>${"a".repeat(100)}</Say>`), 1n],
    ["a started block", within(`<Say>${"a".repeat(101)}</Say>`), 2n],
    ["each Say by itself", within("<Say>a</Say><Say voice='Polly.Amy'>b</Say>"), 2n],
    ["as often as it is said", within(`<Say loop="3">${"a".repeat(50)}</Say>`), 2n],
    ["the markup within", within(`<Say>${"a".repeat(80)}<break time="1s"/><emphasis>b</emphasis></Say>`), 2n],
    ["a Say of nothing", within("<Say></Say><Say/>"), 0n],
  ])("is read: %s", (_what, text, speechBlocks) => {
    expect(readTwiml(text)).toEqual({ ok: true, speechBlocks });
  });
});

describe("TwiML that could do more", () => {
  const MORE = (
    "Dial Refer Record Pay Connect Start Enqueue Gather Redirect Sms Message Conference Queue Prompt Stop Transcription dial " +
    "RESPONSE Unheard"
  ).split(" ");
  test.each(MORE)("is refused by its verb %s", (verb) => {
    for (const text of [`<${verb}>x</${verb}>`, `<${verb}/>`, `<Say>a</Say><${verb} a="b" ></${verb}>`]) {
      expect(readTwiml(within(text))).toEqual({ ok: false, why: `its TwiML has the verb ${verb}` });
    }
  });

  test.each([
    ["a verb within speech", within("<Say>a<Dial>+1900</Dial></Say>")],
    ["a verb within a verb", within("<Play><Say>a</Say></Play>")],
    ["speech without end", within("<Say loop='0'>a</Say>")],
    ["a loop in an entity", within("<Say loop='&#48;'>a</Say>")],
    ["two loops", within("<Say loop='1' loop='0'>a</Say>")],
    ["a loop in capitals", within("<Say LOOP='0'>a</Say>")],
    ["a comment", within("<!-- <Say>a</Say> --><Dial>1</Dial>")],
    ["CDATA", within("<Say><![CDATA[</Say><Dial>1</Dial><Say>]]></Say>")],
    ["an entity of its own", `<!DOCTYPE r [<!ENTITY d "<Dial>1</Dial>">]>${within("&d;")}`],
    ["an instruction", within("<?php dial() ?>")],
    ["a namespace", within("<x:Dial>1</x:Dial>")],
    ["two documents", `${within("")}${within("<Dial>1</Dial>")}`],
    ["a tag in an attribute", within("<Say a='<Dial>'>a</Say>")],
    ["crooked nesting", "<Response><Say>a</Response></Say>"],
    ["no end", "<Response><Say>a"],
    ["another root", "<Dial>1</Dial>"],
    ["no XML", "hello"],
    ["nothing", ""],
  ])("is not read: %s", (_what, text) => {
    expect(readTwiml(text).ok).toBe(false);
  });

  test("is judged in well under 20 ms however long it is, so that one agent cannot stall the others", () => {
    const texts = [
      `<Response>${"<Say ".repeat(100_000)}`,
      `<Response><Say ${" ".repeat(300_000)}`,
      within("<Say>a</Say>".repeat(20_000)),
    ];
    const tookMs = workMs(() => {
      for (const text of texts) readTwiml(text);
    });
    expect(tookMs).toBeLessThan(60);
  });
});
