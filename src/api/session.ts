import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { openSession, SESSION_MS, sessionView } from "../operate/sessions.ts";
import { parseSessionId } from "../vault/session-id.ts";
import { EndedSessionAnswer, SessionAnswer } from "./answers/operators.ts";
import { described } from "./described.ts";
import { query } from "./query.ts";
import { endedCookie, readSessionCookie, sessionCookie } from "./session-cookie.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const tag = "Sessions";

const SignIn = Type.Object(
  { token: Type.String({ description: "A control token, as `keybrake token issue` prints it." }) },
  { title: "SignIn", additionalProperties: false, examples: [{ token: "kb_admin_shown-once" }] },
);

/**
 * Signing a browser in and out: the page hands over a token once and keeps nothing; the session's id is in a cookie that
 * no script can read. Programs send their token with every request and need none of this.
 */
export function sessionController({ gate, store, clock, config, log }: ApiSetting) {
  const end = async (request: Request): Promise<boolean> => {
    const earlier = parseSessionId(readSessionCookie(config, request) ?? "");
    return earlier !== undefined && (await store.endSession(earlier));
  };
  return new Elysia(ELYSIA)
    .post(
      "/session",
      async ({ body, request, set }) => {
        const opened = await openSession({ store, clock }, await gate.controlToken(request, body.token));
        // A browser has one session: who signs in anew leaves no older one behind.
        await end(request);
        log.info("signed_in", { token_id: opened.view.token_id, role: opened.view.role });
        set.headers["set-cookie"] = sessionCookie(config, request, opened.id.reveal(), SESSION_MS);
        return opened.view;
      },
      {
        parse: "json",
        body: SignIn,
        detail: described({
          id: "signIn",
          summary: "Sign a browser in: the answer sets its cookie, for 12 hours",
          tag,
          answer: SessionAnswer,
          fails: [401],
        }),
      },
    )
    .get("/session", ({ request }) => sessionView(gate.standingOf(request)), {
      query: query({}),
      detail: described({
        id: "showSession",
        summary: "Whose session or token it is, and until when",
        tag,
        answer: SessionAnswer,
      }),
    })
    .delete(
      "/session",
      async ({ request, set }) => {
        const { token } = gate.standingOf(request);
        const ended = gate.isSession(request) && (await end(request));
        if (ended) log.info("signed_out", { token_id: token.id });
        set.headers["set-cookie"] = endedCookie(config, request);
        return { ended };
      },
      {
        query: query({}),
        detail: described({
          id: "signOut",
          summary: "Sign the browser out; false where the request bears a token and no session",
          tag,
          answer: EndedSessionAnswer,
        }),
      },
    );
}
