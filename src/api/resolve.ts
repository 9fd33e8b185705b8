import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { ResolvedCallAnswer } from "./answers/audit.ts";
import { described } from "./described.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const CallId = Type.Object({
  id: Type.String({ description: "The call's id (X-Keybrake-Request-Id), or as much of it as is its alone." }),
});
const ResolveBody = Type.Object(
  {
    settled_usd: Type.Optional({
      ...Type.Union([Type.String(), Type.Number()]),
      description: 'What the call did cost, like "29.99"; may be more than was held.',
      "x-allowed": 'dollars, like "29.99"',
    }),
    released: Type.Optional({
      ...Type.Literal(true),
      description: "Nothing was spent; in place of settled_usd.",
      "x-allowed": "true",
    }),
    reason: Type.Optional(Type.String({ description: "Why; it stands in the audit." })),
  },
  {
    title: "ResolveCall",
    additionalProperties: false,
    examples: [{ settled_usd: "29.99", reason: "found at the vendor" }],
  },
);

/** What became of a call whose outcome nobody knew, said by an operator, or by the issuer of its key. */
export function resolveController({ control, gate }: ApiSetting) {
  return new Elysia(ELYSIA).post(
    "/audit/:id/resolve",
    ({ params, body, request }) => control.resolveCall(params.id, body, gate.actorOf(request)),
    {
      parse: "json",
      params: CallId,
      body: ResolveBody,
      detail: described({
        id: "resolveCall",
        summary: "Settle or release an unresolved call by hand, once; its caps are corrected when it answers",
        tag: "Audit",
        answer: ResolvedCallAnswer,
        fails: [404, 409],
      }),
    },
  );
}
