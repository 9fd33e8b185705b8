import { Type } from "@sinclair/typebox";
import { orNull } from "../described.ts";

/** What stands in answers everywhere, each with an example that the documentation shows. */
const text = (description: string, example: string) => Type.String({ description, examples: [example] });

export const keyId = (description: string) => text(description, "vk_01k5x3r9t7e2mfq8");
export const vendorOrNull = orNull(text("The vendor.", "stripe"), "The key's vendor; null where it is for several.");
export const vendorList = Type.Array(text("A vendor.", "stripe"), {
  description: "Every vendor that the key is for, in the order of its policy.",
});
export const callId = (description: string) => text(description, "call_01k5x3r9t7e2mfq8");
export const vendorName = (description: string) => text(description, "stripe");
export const label = (description: string) => text(description, "ray-billing/01");
export const words = (description: string, example: string) => text(description, example);

/** Dollars as decimal text: no client's floating point ever rounds them. */
export const dollars = (description: string) => text(`${description} Dollars as decimal text.`, "29.99");

export const instant = (description: string) =>
  Type.String({ description: `${description} ISO 8601 in UTC.`, format: "date-time", examples: [AN_INSTANT] });

const AN_INSTANT = "2026-01-01T02:00:00.000Z";

export const count = (description: string) => Type.Integer({ description, minimum: 0, examples: [3] });

export const instantOrNull = (description: string) => orNull(instant(description), description);
export const labelOrNull = orNull(label("What the run is called."), "What the run is called; null without a label.");

/** `next_cursor` of a list. */
export const nextCursor = orNull(
  text("Where the next page begins.", "vk_01k5x3r9t7e2mfq8"),
  "Pass it as cursor for the next page; null on the last one. A page does not move when something is added meanwhile.",
);
export const warnings = Type.Array(text("A sentence.", "no cap limits what this key may spend"), {
  description: "What is lawful and hardly meant, in sentences.",
});
