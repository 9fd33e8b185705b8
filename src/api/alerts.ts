import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { ALERTS_MAX } from "../operate/alerts.ts";
import { AlertsAnswer, AlertTestsAnswer } from "./answers/installation.ts";
import { described } from "./described.ts";
import { count, limitOf, query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const ALERTS_PER_PAGE = 50;
const tag = "Alerts";

const TestBody = Type.Object(
  { target: Type.Optional(Type.String({ description: "Only this target of keybrake.yaml." })) },
  { title: "TestAlerts", additionalProperties: false, examples: [{ target: "ops" }] },
);

/** Whether alerts arrive, and which are on their way. */
export function alertController({ control }: ApiSetting) {
  return new Elysia(ELYSIA)
    .get(
      "/alerts",
      async ({ query: { limit } }) => ({
        alerts: await control.listAlerts(limitOf(limit, ALERTS_PER_PAGE, ALERTS_MAX)),
      }),
      {
        query: query({
          limit: count(`At most so many; ${ALERTS_PER_PAGE} where it is not given, ${ALERTS_MAX} at most.`),
        }),
        detail: described({
          id: "listAlerts",
          summary: "The alerts that wait for a target, and the newest of those that do not",
          tag,
          answer: AlertsAnswer,
        }),
      },
    )
    .post("/alerts/test", async ({ body }) => ({ results: await control.testAlerts(body.target) }), {
      parse: "json",
      body: TestBody,
      detail: described({
        id: "testAlerts",
        summary: "Send a test event to the targets now, and say what came back",
        tag,
        answer: AlertTestsAnswer,
        fails: [404],
      }),
    });
}
