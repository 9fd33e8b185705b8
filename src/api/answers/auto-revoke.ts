import { Type } from "@sinclair/typebox";
import type { AutoRevokeView } from "../../operate/auto-revoke-counts.ts";
import { answerOf, orNull } from "../described.ts";
import { count, words } from "./values.ts";

/** The rules of `auto_revoke`, with what counts towards each. */
export const AutoRevokeAnswer = Type.Array(
  answerOf<AutoRevokeView>()(
    Type.Object(
      {
        rule: words("The rule.", "cap_hits"),
        limit: count("A count; of requests_over_baseline how many times the mean hour."),
        within: orNull(words("A duration.", "1h"), "How long each counts; null of the rule that goes by the hour."),
        counted: count("What counts now, as far as calls have been looked at."),
        baseline: orNull(
          words("Calls.", "118.42"),
          "Calls of a mean hour; null of other rules, and where there is too little history.",
        ),
      },
      { title: "AutoRevokeRule" },
    ),
  ),
  { description: "The rules that revoke the key by themselves, and how near they are." },
);
