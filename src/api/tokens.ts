import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { CONTROL_ROLES } from "../vault/control-token.ts";
import { IssuedTokenAnswer, RevokedTokenAnswer, TokensAnswer } from "./answers/operators.ts";
import { described } from "./described.ts";
import { query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const tag = "Control tokens";

const TokenBody = Type.Object(
  {
    role: Type.Union(
      CONTROL_ROLES.map((role) => Type.Literal(role)),
      { description: "admin does everything, issuer issues and revokes its own keys, auditor reads." },
    ),
    name: Type.Optional(Type.String({ description: "What the token is for." })),
    templates: Type.Optional(
      Type.Array(Type.String(), {
        description: "An issuer's templates; left out, every one and policies without one.",
      }),
    ),
    max_daily_usd: Type.Optional(
      Type.Union([Type.Number({ minimum: 0 }), Type.String()], {
        description: "The highest daily_usd_cap that an issuer may give a key.",
        "x-allowed": "dollars like 500 or 29.99",
      }),
    ),
  },
  {
    title: "IssueToken",
    additionalProperties: false,
    examples: [{ role: "issuer", name: "ray", templates: ["billing"], max_daily_usd: 100 }],
  },
);

/** Tokens for operators and their programs. */
export function tokenController({ control }: ApiSetting) {
  return new Elysia(ELYSIA)
    .get("/tokens", async () => ({ tokens: await control.listTokens() }), {
      query: query({}),
      detail: described({
        id: "listTokens",
        summary: "The control tokens, revoked ones too; never the tokens themselves",
        tag,
        answer: TokensAnswer,
      }),
    })
    .post(
      "/tokens",
      async ({ body, set }) => {
        const issued = await control.issueToken(body);
        set.status = 201;
        return issued;
      },
      {
        parse: "json",
        body: TokenBody,
        detail: described({
          id: "issueToken",
          summary: "Issue a control token; the one answer in which it stands",
          tag,
          answer: IssuedTokenAnswer,
          status: 201,
          fails: [404],
        }),
      },
    )
    .delete("/tokens/:id", ({ params }) => control.revokeToken(params.id), {
      params: Type.Object({ id: Type.String({ description: "The token's id (tok_…)." }) }),
      query: query({}),
      detail: described({
        id: "revokeToken",
        summary: "Revoke a control token; the keys issued with it stay",
        tag,
        answer: RevokedTokenAnswer,
        fails: [404],
      }),
    });
}
