import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { given, parameter, query } from "./query.ts";
import { type ApiSetting, CREATED, ELYSIA } from "./setting.ts";

const TAGS = ["Brake"];

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
  { additionalProperties: false },
);
const ReleaseBody = Type.Optional(Type.Object(TARGET, { additionalProperties: false }));

/** The big red button and its undo. `{}` stops everything. */
export function brakeController({ control }: ApiSetting) {
  return new Elysia(ELYSIA)
    .get("/brake", async () => ({ brakes: await control.listBrakes() }), {
      query: query({}),
      detail: { summary: "The brakes that are engaged", tags: TAGS },
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
        detail: {
          summary: "Stop a vendor, a label prefix, or with {} everything; in force when it answers",
          tags: TAGS,
          ...CREATED,
        },
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
        detail: { summary: "Release the brake with exactly this vendor and label prefix", tags: TAGS },
      },
    );
}
