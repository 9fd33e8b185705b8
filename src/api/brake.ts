import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { BrakeAnswer, BrakesAnswer, ReleasedAnswer } from "./answers/operators.ts";
import { described } from "./described.ts";
import { given, parameter, query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const tag = "Brake";

const TARGET = {
  vendor: Type.Optional(Type.String({ description: "Calls to this vendor; left out, to every one." })),
  label_prefix: Type.Optional(
    Type.String({ description: "Calls of runs whose label begins so; left out, of every one." }),
  ),
};
const EngageBody = Type.Object(
  {
    ...TARGET,
    hard: Type.Optional(Type.Boolean({ description: "Abort calls in flight, too; their outcome is then unknown." })),
    reason: Type.Optional(Type.String({ description: "Why; agents are told." })),
  },
  {
    title: "EngageBrake",
    additionalProperties: false,
    examples: [{ vendor: "stripe", label_prefix: "ray-billing/", reason: "runaway" }],
  },
);
const ReleaseBody = Type.Optional(
  Type.Object(TARGET, { title: "ReleaseBrake", additionalProperties: false, examples: [{ vendor: "stripe" }] }),
);

/** The big red button and its undo. `{}` stops everything. */
export function brakeController({ control }: ApiSetting) {
  return new Elysia(ELYSIA)
    .get("/brake", async () => ({ brakes: await control.listBrakes() }), {
      query: query({}),
      detail: described({ id: "listBrakes", summary: "The brakes that are engaged", tag, answer: BrakesAnswer }),
    })
    .post(
      "/brake",
      async ({ body, set }) => {
        const brake = await control.engageBrake(body);
        set.status = 201;
        return brake;
      },
      {
        parse: "json",
        body: EngageBody,
        detail: described({
          id: "engageBrake",
          summary: "Stop a vendor, a label prefix, or with {} everything; in force when it answers",
          tag,
          answer: BrakeAnswer,
          status: 201,
        }),
      },
    )
    .delete(
      "/brake",
      async ({ body, query: asked }) => {
        const { vendor, label_prefix } = { ...asked, ...((body ?? {}) as Static<typeof ReleaseBody>) };
        return { released: await control.releaseBrake(given({ vendor, label_prefix })) };
      },
      {
        parse: "json",
        body: ReleaseBody,
        query: query({
          vendor: parameter("The brake's vendor."),
          label_prefix: parameter("The brake's label prefix."),
        }),
        detail: described({
          id: "releaseBrake",
          summary: "Release the brake with exactly this vendor and label prefix",
          tag,
          answer: ReleasedAnswer,
          fails: [404],
        }),
      },
    );
}
