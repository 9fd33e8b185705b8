import { Type } from "@sinclair/typebox";
import { API_CODES } from "../api-problem.ts";
import { answerOf, oneOf } from "../described.ts";
import type { ErrorAnswer } from "../errors.ts";
import { keyId, words } from "./values.ts";

const FieldProblemAnswer = Type.Object(
  {
    field: words("The field's name, with dots for what is within it.", "daily_usd_capp"),
    message: words(
      "What is wrong with it.",
      '"daily_usd_capp" is not a field of this request; did you mean daily_usd_cap?',
    ),
    allowed: Type.Optional(words("What it may be.", "dollars like 500 or 29.99")),
    got: Type.Optional(words("What it was.", '"-5"')),
    nearest: Type.Optional(words("The known name that was probably meant.", "daily_usd_cap")),
  },
  { title: "FieldProblem" },
);

/** The one shape of all errors. */
export const ErrorSchema = answerOf<ErrorAnswer["body"]>()(
  Type.Object(
    {
      error: Type.Object(
        {
          code: oneOf(API_CODES, "For programs."),
          message: words("For people: what is wrong, with the limit and the value.", "daily_usd_cap must be dollars"),
          hint: Type.Optional(words("What to do next.", "give it as 500 or 29.99")),
          problems: Type.Optional(Type.Array(FieldProblemAnswer, { description: "Every field that is wrong." })),
          key_id: Type.Optional(keyId("The active key that has the label (unique_label).")),
        },
        { description: "What is wrong." },
      ),
      message: words("The message once more, where many clients look.", "daily_usd_cap must be dollars"),
    },
    { title: "Problem" },
  ),
);
