import { Type } from "@sinclair/typebox";
import type { TemplateView } from "../../operate/control-plane.ts";
import type {
  CallsView,
  ExplainView,
  RefusedByView,
  ReplayView,
  RulePlace,
  SuggestView,
} from "../../operate/policy-verbs.ts";
import { answerOf, orNull } from "../described.ts";
import { AutoRevokeAnswer } from "./auto-revoke.ts";
import { BudgetAnswer } from "./budgets.ts";
import {
  callId,
  count,
  dollars,
  instant,
  instantOrNull,
  keyId,
  label,
  vendorList,
  vendorName,
  vendorOrNull,
  words,
} from "./values.ts";

/** `GET /policies/{name}`. */
export const TemplateAnswer = answerOf<TemplateView>()(
  Type.Object(
    {
      name: words("Its file's name.", "billing"),
      description: words("What it is for.", "Charge the customers of one billing run"),
      vendor: vendorOrNull,
      vendors: vendorList,
      inputs: Type.Array(
        Type.Object({
          name: words("The input.", "customers"),
          description: words("What it is.", "the customers of this run"),
          required: Type.Boolean({ description: "Whether a key needs it.", examples: [true] }),
        }),
        { description: "What has to be filled in." },
      ),
      source: words("The file as it is.", "vendor: stripe\ndaily_usd_cap: 500\n"),
    },
    { title: "Template" },
  ),
);

/** `GET /policies`. */
export const TemplatesAnswer = Type.Object({ policies: Type.Array(TemplateAnswer) }, { title: "Templates" });

const RulePlaceAnswer = answerOf<RulePlace>()(
  Type.Union(
    [
      Type.Object({
        file: words("A template.", "billing.yaml"),
        line: count("From 1."),
        column: count("From 1."),
        key_id: Type.Null(),
      }),
      Type.Object({ file: Type.Null(), line: Type.Null(), column: Type.Null(), key_id: keyId("The key.") }),
    ],
    { title: "RulePlace", description: "In a template's file, or in the policy that a key was issued with." },
  ),
);
const rulePlace = orNull(RulePlaceAnswer, "Where the rule stands; null for what no policy decides.");

const verdictWord = words("One word of what is decided.", "amount_denied");
const ruleWord = words("Which rule decides.", "max_amount_per_call_usd");

/** `POST /policies/explain`. */
export const ExplainAnswer = answerOf<ExplainView>()(
  Type.Object(
    {
      verdict: verdictWord,
      status: count("The status that the agent would get; 200 where the call is let through."),
      vendor: vendorName("The vendor that the call is for."),
      rule: ruleWord,
      rule_place: rulePlace,
      message: words("What the agent would be told.", "Keybrake: the amount is above max_amount_per_call_usd."),
      operation: orNull(
        words("The operation.", "payment_intents.create"),
        "The vendor's operation; null where unknown.",
      ),
      class: orNull(words("The class.", "priced"), "How its cost is known."),
      kind: orNull(words("The kind.", "charge"), "What its money is."),
      exposure_usd: orNull(dollars("At most."), "What it can cost at most; null where that would be looked up."),
      looks_up: Type.Array(words("A look-up.", "GET /v1/charges/ch_1"), {
        description: "What the vendor is asked first.",
      }),
      max_amount_per_call_usd: orNull(dollars("At most."), "The most that one call may cost; null without a limit."),
      budgets: Type.Array(
        Type.Object(
          {
            ...BudgetAnswer.properties,
            cap_field: words("Which of the budget's caps this is.", "daily_usd_cap"),
            remaining_after: orNull(
              words("What would be left.", "350.00"),
              "What would be left after the call; null where it is refused or looked up.",
            ),
          },
          { title: "ExplainedBudget" },
        ),
      ),
      auto_revoke: AutoRevokeAnswer,
    },
    { title: "Explanation" },
  ),
);

const CALLS = { calls: count("Calls."), usd: dollars("What they did cost, or may have cost.") };
const CallsAnswer = answerOf<CallsView>()(Type.Object(CALLS, { title: "Calls" }));

const RefusedByAnswer = answerOf<RefusedByView>()(
  Type.Object(
    {
      ...CALLS,
      verdict: verdictWord,
      vendor: vendorName("The vendor of the refused calls."),
      rule: ruleWord,
      rule_place: rulePlace,
      first_called_at: instant("When the first such call came."),
      first_call_id: callId("The first such call."),
      message: words("Of the first such call.", "Keybrake: the amount is above max_amount_per_call_usd."),
    },
    { title: "RefusedBy" },
  ),
);

/** `POST /policies/replay`. */
export const ReplayAnswer = answerOf<ReplayView>()(
  Type.Object(
    {
      template: words("The template.", "billing"),
      vendor: vendorOrNull,
      vendors: vendorList,
      first_called_at: instantOrNull("Of the first call that was sent; null where there was none."),
      last_called_at: instantOrNull("Of the last one."),
      allowed: CallsAnswer,
      refused: CallsAnswer,
      rules: Type.Array(RefusedByAnswer, { description: "By the calls that each would have refused, most first." }),
      endpoints: Type.Array(
        Type.Object({ ...CALLS, endpoint: words("The path with ids replaced by *.", "/v1/payment_intents") }),
        { description: "The ten with the most refused calls." },
      ),
      refused_then: Type.Object(
        {
          calls: count("Calls that were refused when they were made."),
          would_pass: count("Those of them that break none of the template's rules."),
        },
        { description: "What they would have cost is not known, so that they count in no cap." },
      ),
      not_checked: Type.Array(words("A field.", "parameters"), {
        description: "The template's fields that the audit does not have what is needed to check for.",
      }),
    },
    { title: "Replay" },
  ),
);

/** `POST /policies/suggest`. */
export const SuggestionAnswer = answerOf<SuggestView>()(
  Type.Object(
    {
      run: label("The run."),
      vendor: vendorOrNull,
      vendors: vendorList,
      calls: count("Calls that the template is made of."),
      source: words("YAML, with comments that say what each field is based on.", "vendor: stripe\n"),
    },
    { title: "Suggestion" },
  ),
);
