import { createHmac } from "node:crypto";
import type { AlertNews } from "../core/alert-event.ts";
import type { Secret } from "../core/secret.ts";
import type { EpochMs } from "../core/window.ts";

/** What a receiver gets. */
export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Signed over `timestamp.body`, so that neither can be changed and an old message cannot be sent again as a new one. */
export function webhookMessage(news: AlertNews, secret: Secret, now: EpochMs): Message {
  const { id, type, at, text, data } = news;
  const body = JSON.stringify({ id, type, at: new Date(at).toISOString(), text, data });
  const timestamp = String(Math.floor(now / 1000));
  return {
    headers: {
      "content-type": "application/json",
      "x-keybrake-event-id": encodeURIComponent(id),
      "x-keybrake-timestamp": timestamp,
      "x-keybrake-signature": signature(secret, timestamp, body),
    },
    body,
  };
}

/** `v1=` and the HMAC-SHA256 in hex. */
export function signature(secret: Secret, timestamp: string, body: string): string {
  return `v1=${createHmac("sha256", secret.reveal()).update(`${timestamp}.${body}`).digest("hex")}`;
}

const SLACK_TEXT_CHARACTERS_MAX = 2_900;

/** A block that reads as text: what happened, then the facts. Slack's `&<>` are escaped, so that no label can mention anybody. */
export function slackMessage({ type, at, text, data, id }: AlertNews): Message {
  const facts = Object.entries(data).filter(([, value]) => value !== null);
  const lines = facts.map(([name, value]) => `• ${name}: ${escapeSlack(String(value))}`);
  const block = [`*${type}* ${escapeSlack(text)}`, ...lines].join("\n").slice(0, SLACK_TEXT_CHARACTERS_MAX);
  const context = escapeSlack(`${new Date(at).toISOString()} ${id}`);
  return {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      text: escapeSlack(`${type}: ${text}`).slice(0, SLACK_TEXT_CHARACTERS_MAX),
      blocks: [
        { type: "section", text: { type: "mrkdwn", text: block } },
        { type: "context", elements: [{ type: "plain_text", text: context.slice(0, SLACK_TEXT_CHARACTERS_MAX) }] },
      ],
    }),
  };
}

/** https://docs.slack.dev/messaging/formatting-message-text: the three characters that Slack takes for its own. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
