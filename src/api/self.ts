import { Elysia } from "elysia";
import { Problem } from "../core/problem.ts";
import { SelfAnswer } from "./answers/keys.ts";
import { ApiProblem } from "./api-problem.ts";
import { described } from "./described.ts";
import { query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

/** What an agent can ask about its own key. */
export function selfController({ control, gate }: ApiSetting) {
  return new Elysia(ELYSIA).get(
    "/vault/self",
    async ({ request }) => {
      try {
        return await control.self(gate.vaultKeyOf(request));
      } catch (cause) {
        if (!(cause instanceof Problem) || cause.code !== "not_found") throw cause;
        const challenge = { "www-authenticate": 'Bearer realm="keybrake", error="invalid_token"' };
        throw new ApiProblem(401, "unauthenticated", cause.message, "use a key that this server issued", challenge);
      }
    },
    {
      query: query({}),
      detail: described({
        id: "showSelf",
        summary: "With a vault key: its own policy, spend, what is left, reset time",
        tag: "Vault keys",
        answer: SelfAnswer,
      }),
    },
  );
}
