import { Type } from "@sinclair/typebox";
import type { SpendAnomalyView, SpendProjectionView, SpendSumsView } from "../../operate/spend-verbs.ts";
import { answerOf, orNull } from "../described.ts";
import { count, dollars, instant, instantOrNull, label, vendorName, words } from "./values.ts";

const SUMS = {
  calls: count("Calls, the refused ones too."),
  refused: count("Calls that were refused."),
  settled_usd: dollars("What they did cost."),
  held_usd: dollars("In flight."),
  unresolved_usd: dollars("Of unknown outcome, counted in full."),
  total_usd: dollars("The three together: what counts as spent."),
};

const SpendTotalAnswer = answerOf<SpendSumsView>()(
  Type.Object(SUMS, { title: "SpendTotal", description: "Of all groups, also of those that limit has left out." }),
);

const named = (description: string, example: string) =>
  Type.Optional(orNull(words(description, example), `${description} Null for calls that have none.`));

/** One row has the field that was asked for by; `label:2` and its like are further fields of text. */
const SpendRowAnswer = Type.Object(
  {
    run: named("The request's own run id, or the run label.", "ray-billing/01"),
    agent: named("The agent.", "billing_agent"),
    endpoint: named("Method and path, ids replaced by *.", "POST /v1/payment_intents/*/confirm"),
    day: named("A UTC day.", "2026-01-31"),
    hour: named("The first moment of an hour, in UTC.", "2026-01-31T14:00:00.000Z"),
    vendor: Type.Optional(
      orNull(vendorName("The vendor."), "The vendor; of rows by vendor or endpoint, and of split ones."),
    ),
    ...SUMS,
    share: orNull(
      Type.Number({ examples: [0.25] }),
      "Of the total, from 0 to 1; null where nothing was spent in total.",
    ),
    projected_month_usd: Type.Optional(
      dollars("What a month like the last 7 days would cost; where it was asked for."),
    ),
  },
  {
    title: "SpendRow",
    description: "A group of calls. Asked for by label:N, it has a field of that name with that part of the run label.",
    additionalProperties: orNull(
      words("The part of the label.", "acme"),
      "label:N; null where the label has no such part.",
    ),
  },
);

const SpendProjectionAnswer = answerOf<SpendProjectionView>()(
  Type.Object(
    {
      method: words("How it is reckoned.", "the mean of a day of the last 7 days, 30 times"),
      since: instant("The time that it rests on: 7 days, or from the first call on."),
      until: instant("Up to then."),
      days: Type.Number({ description: "How many days that is.", examples: [7] }),
      spent_usd: dollars("Spent in that time."),
      daily_mean_usd: dollars("The mean of a day of it."),
      projected_month_usd: dollars("30 such days."),
    },
    { title: "SpendProjection", description: "Where it was asked for." },
  ),
);

const SpendAnomalyAnswer = answerOf<SpendAnomalyView>()(
  Type.Object(
    {
      hour: instant("The hour's first moment."),
      spent_usd: dollars("Spent in it."),
      mean_usd: dollars("An hour of the 30 days before it."),
      factor: Type.Number({ description: "How many times that mean, rounded down to a tenth.", examples: [4.2] }),
      runs: Type.Array(
        Type.Object({
          run: orNull(label("The run."), "The run; null for calls without one."),
          total_usd: dollars("What it spent in that hour."),
        }),
        { description: "The dearest runs of it, at most three." },
      ),
    },
    { title: "SpendAnomaly" },
  ),
);

/** `GET /spend`. */
export const SpendAnswer = Type.Object(
  {
    by: words("What rows are by.", "run"),
    since: instant("Calls from then on; the hour's beginning where rows of that hour are gone by retention."),
    until: instantOrNull("Calls before then; null up to the newest."),
    rows: Type.Array(SpendRowAnswer, { description: "Days and hours newest last, everything else the dearest first." }),
    total: SpendTotalAnswer,
    groups: count("How many groups there are in all."),
    truncated: Type.Boolean({ description: "Whether limit has left groups out." }),
    projection: Type.Optional(SpendProjectionAnswer),
    anomalies: Type.Optional(
      Type.Array(SpendAnomalyAnswer, {
        description: "Hours far above the mean, oldest first; where they were asked for.",
      }),
    ),
  },
  { title: "SpendReport" },
);
