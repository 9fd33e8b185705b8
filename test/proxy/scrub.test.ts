import { describe, expect, test } from "bun:test";
import { scrubStream, spellings } from "../../src/proxy/scrub.ts";

const SECRET = "sk_test_scrubbed/0123";
const SECRETS = spellings([SECRET]);
const ESCAPED = [...SECRET].map((one) => `\\u00${one.charCodeAt(0).toString(16).padStart(2, "0")}`).join("");

/** What comes out of the stream when these pieces go in. */
async function passed(...pieces: readonly string[]): Promise<string> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(Buffer.from(piece, "latin1"));
      controller.close();
    },
  });
  const clean = body.pipeThrough(scrubStream(SECRETS) as ReadableWritablePair<Uint8Array, Uint8Array>);
  return Buffer.from(await new Response(clean).arrayBuffer()).toString("latin1");
}

describe("a streamed body", () => {
  test.each([
    ["in clear", SECRET],
    ["in base64", Buffer.from(SECRET).toString("base64")],
    ["in JSON's escapes", ESCAPED],
    ["half in escapes", SECRET.slice(0, 9) + ESCAPED.slice(9 * 6)],
  ])("never has the secret %s, wherever it is cut in two", async (_, echoed) => {
    const text = `{"data":"${"x".repeat(400)}${echoed}${"y".repeat(400)}"}`;
    for (let cut = 0; cut <= text.length; cut++) {
      expect(await passed(text.slice(0, cut), text.slice(cut))).toBe(text.replace(echoed, "[redacted]"));
    }
  });

  test("passes a byte at a time, and without the secret", async () => {
    const text = `{"data":"${ESCAPED} and ${SECRET}"}`;
    expect(await passed(...text)).toBe('{"data":"[redacted] and [redacted]"}');
  });

  test("keeps its escapes where no secret is", async () => {
    const text = `{"name":"\\u0041da","quote":"\\u0022"}${"z".repeat(2_000)}\\u00`;
    for (const cut of [0, 10, 11, 12, 13, 14, 1_900]) {
      expect(await passed(text.slice(0, cut), text.slice(cut))).toBe(text);
    }
  });
});
