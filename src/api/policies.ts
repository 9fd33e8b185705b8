import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { METHODS } from "../core/call.ts";
import { readAuditFilter } from "../operate/audit-filter.ts";
import { ExplainAnswer, ReplayAnswer, SuggestionAnswer, TemplateAnswer, TemplatesAnswer } from "./answers/policies.ts";
import { described } from "./described.ts";
import { given, query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const tag = "Policies";
const TemplateName = Type.Object({ name: Type.String({ description: "The template's name." }) });

const Inputs = Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]), {
  description: "Values for the template's inputs.",
  "x-allowed": "an object of texts or lists of texts",
});

const ReplayBody = Type.Object(
  {
    template: Type.Optional(Type.String({ description: "The template's name." })),
    source: Type.Optional(
      Type.Object(
        {
          file_name: Type.String({ description: "What the file is called: billing.yaml." }),
          text: Type.String({ description: "Its YAML." }),
        },
        { additionalProperties: false, description: "Or a template that is not in the directory." },
      ),
    ),
    inputs: Type.Optional(Inputs),
    since: Type.Optional(Type.String({ description: "Calls since then: a time, or how long ago. Default: 7d." })),
    until: Type.Optional(Type.String({ description: "Only calls before then." })),
    run: Type.Optional(Type.String({ description: "Only calls of this run." })),
    key_id: Type.Optional(Type.String({ description: "Only calls with this vault key." })),
  },
  { title: "ReplayPolicy", additionalProperties: false, examples: [{ template: "billing", since: "24h" }] },
);

const SuggestBody = Type.Object(
  {
    run: Type.String({ description: "The run's label." }),
    vendor: Type.Optional(Type.String({ description: "The vendor, where the run called several." })),
    margin_percent: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1000,
        description: "Room on top of the amounts that were used; 20 where it is not given.",
      }),
    ),
  },
  { title: "SuggestPolicy", additionalProperties: false, examples: [{ run: "ray-billing/01", margin_percent: 20 }] },
);

const ExplainBody = Type.Object(
  {
    template: Type.Optional(Type.String({ description: "Explain by this template." })),
    inputs: Type.Optional(Inputs),
    label: Type.Optional(Type.String({ description: "The run label that a key of the template would have." })),
    key_id: Type.Optional(Type.String({ description: "Or by the policy of this key, with what is left of its caps." })),
    method: Type.Union(
      METHODS.map((method) => Type.Literal(method)),
      { description: "The call's method." },
    ),
    path: Type.String({
      description: "The call's path, with its query: /v1/charges.",
      maxLength: 20_000,
      "x-allowed": "text of at most 20,000 characters",
    }),
    body: Type.Optional(Type.String({ description: "The call's body: form text, or JSON text." })),
  },
  {
    title: "ExplainCall",
    additionalProperties: false,
    examples: [{ template: "billing", method: "POST", path: "/v1/payment_intents", body: "amount=500&currency=usd" }],
  },
);

/** Templates, and what the proxy would do. */
export function policyController(setting: ApiSetting) {
  const { control, gate } = setting;
  return new Elysia(ELYSIA)
    .get("/policies", async () => ({ policies: await control.listTemplates() }), {
      query: query({}),
      detail: described({
        id: "listPolicies",
        summary: "The templates that keys can be issued from",
        tag,
        answer: TemplatesAnswer,
      }),
    })
    .get("/policies/:name", ({ params }) => control.showTemplate(params.name), {
      params: TemplateName,
      query: query({}),
      detail: described({
        id: "showPolicy",
        summary: "One template with its inputs and its source",
        tag,
        answer: TemplateAnswer,
        fails: [404],
      }),
    })
    .post(
      "/policies/explain",
      async ({ body, request }) => {
        // Whoever may not see the key may not learn its policy this way either.
        if (body.key_id !== undefined) await control.showKey(body.key_id, gate.actorOf(request));
        return control.explain(body);
      },
      {
        parse: "json",
        body: ExplainBody,
        detail: described({
          id: "explainCall",
          summary: "What the proxy would do with a call, and which rule decides; nothing is sent",
          tag,
          answer: ExplainAnswer,
          fails: [404],
        }),
      },
    )
    .use(tuningController(setting));
}

/** Templates against what is recorded. */
function tuningController({ control, clock }: ApiSetting) {
  return new Elysia(ELYSIA)
    .post(
      "/policies/replay",
      ({ body: { template, source, inputs, since = "7d", ...texts } }) =>
        control.replayPolicy({
          ...given({ template, source, inputs }),
          filter: readAuditFilter({ since, ...texts }, clock.now()),
        }),
      {
        parse: "json",
        body: ReplayBody,
        detail: described({
          id: "replayPolicy",
          summary: "Which recorded calls a template would have refused, and the dollars",
          tag,
          answer: ReplayAnswer,
          fails: [404],
        }),
      },
    )
    .post(
      "/policies/suggest",
      ({ body: { run, vendor, margin_percent = 20 } }) =>
        control.suggestPolicy({ run, margin_percent, ...given({ vendor }) }),
      {
        parse: "json",
        body: SuggestBody,
        detail: described({
          id: "suggestPolicy",
          summary: "The tightest template that would have allowed what a recorded run did",
          tag,
          answer: SuggestionAnswer,
          fails: [404],
        }),
      },
    );
}
