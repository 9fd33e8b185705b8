import { Elysia } from "elysia";
import { AboutAnswer, FindingsAnswer } from "./answers/installation.ts";
import { described } from "./described.ts";
import { query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const tag = "Installation";

/** The installation itself: which version it is, and what is misconfigured. */
export function aboutController({ control }: ApiSetting) {
  return new Elysia(ELYSIA)
    .get("/about", () => control.about(), {
      query: query({}),
      detail: described({
        id: "about",
        summary: "The server's version, and settings that operators have to know",
        tag,
        answer: AboutAnswer,
      }),
    })
    .get("/doctor", async () => ({ findings: await control.doctor() }), {
      query: query({}),
      detail: described({
        id: "doctor",
        summary: "What is misconfigured, and how to mend it",
        tag,
        answer: FindingsAnswer,
      }),
    });
}
