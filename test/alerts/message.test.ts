import { describe, expect, test } from "bun:test";
import { signature, slackMessage, webhookMessage } from "../../src/alerts/message.ts";
import type { AlertNews } from "../../src/core/alert-event.ts";
import { Secret } from "../../src/core/secret.ts";

const NEWS: AlertNews = {
  id: "run.cost:1:a/ü",
  type: "run.cost",
  at: Date.UTC(2026, 0, 1),
  text: "the run <!channel> & co has cost $5.00",
  data: { run_label: "<@U1>", cost_usd: "5.00", reason: null },
};

describe("signatures", () => {
  // printf '%s' "$timestamp.$body" | openssl dgst -sha256 -hmac "$secret"
  const VECTORS = [
    ["whsec_test", "1767225600", '{"id":"a"}', "cdefc422ad248d095852ef5609333da01aa37d9bbb841a53b6b030bac3c999b4"],
    ["ü", "0", "", "b4ec452e218183cbf315686cb58e53d5932c1323dc45d351b5eee8e124cf209d"],
  ] as const;
  for (const [secret, timestamp, body, hex] of VECTORS) {
    test(`${JSON.stringify(body)} at ${timestamp} is signed as openssl does`, () => {
      expect(signature(new Secret(secret), timestamp, body)).toBe(`v1=${hex}`);
    });
  }

  test("a webhook's stands over its own timestamp and body, and the body stays the same at every try", () => {
    const secret = new Secret("s");
    const [first, second] = [webhookMessage(NEWS, secret, 1_999), webhookMessage(NEWS, secret, 2_000)];
    expect(first.headers["x-keybrake-timestamp"]).toBe("1");
    expect(first.headers["x-keybrake-signature"]).toBe(signature(secret, "1", first.body));
    expect(second.headers["x-keybrake-signature"]).not.toBe(first.headers["x-keybrake-signature"]);
    expect(second.body).toBe(first.body);
    const { text, data, id, type } = NEWS;
    expect(JSON.parse(first.body)).toEqual({ id, type, at: "2026-01-01T00:00:00.000Z", text, data });
  });
});

test("Slack gets a block that reads as text, and no label in it can mention anybody", () => {
  const { body } = slackMessage(NEWS);
  expect(JSON.parse(body)).toEqual({
    text: "run.cost: the run &lt;!channel&gt; &amp; co has cost $5.00",
    blocks: [
      {
        type: "section",
        text: {
          type: "mrkdwn",
          text: "*run.cost* the run &lt;!channel&gt; &amp; co has cost $5.00\n• run_label: &lt;@U1&gt;\n• cost_usd: 5.00",
        },
      },
      { type: "context", elements: [{ type: "plain_text", text: "2026-01-01T00:00:00.000Z run.cost:1:a/ü" }] },
    ],
  });
});
