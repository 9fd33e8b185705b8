import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { KEYS_PER_PAGE, KEYS_PER_PAGE_MAX } from "../operate/keys.ts";
import {
  IssuedKeyAnswer,
  KeyPageAnswer,
  RevokeAnswer,
  RevokedKeyAnswer,
  ShownKeyAnswer,
  UpdatedKeyAnswer,
} from "./answers/keys.ts";
import { described, type RouteDetail, type RouteWords } from "./described.ts";
import { KeyIssuer } from "./issue-once.ts";
import {
  IdempotencyHeader,
  IssueKeyBody,
  issueKeyRequest,
  RevokeBody,
  UpdateKeyBody,
  updateKeyRequest,
} from "./key-requests.ts";
import { count, flag, given, limitOf, parameter, query } from "./query.ts";
import { KEY_PREFIXES } from "./routes.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const KeyId = Type.Object({ id: Type.String({ description: "The key's id (vk_…)." }) });

/** The words of a route of keys; under a second prefix it is the same route and described once. */
type Detail = (words: Omit<RouteWords, "tag" | "hide">) => RouteDetail;

/** Vault keys under each of their prefixes; only the canonical one is in the documentation. */
export function keyControllers(setting: ApiSetting) {
  const issuer = new KeyIssuer(setting);
  return KEY_PREFIXES.map((prefix) => keyController(setting, issuer, prefix));
}

function keyController(setting: ApiSetting, issuer: KeyIssuer, prefix: (typeof KEY_PREFIXES)[number]) {
  const { control, gate } = setting;
  const detail: Detail = (words) => described({ ...words, tag: "Vault keys", hide: prefix !== KEY_PREFIXES[0] });
  return new Elysia(ELYSIA)
    .post(
      prefix,
      async ({ body, headers, request, set }) => {
        const key = headers["idempotency-key"];
        const issued = await issuer.issue(issueKeyRequest(body), gate.actorOf(request), key, body);
        set.status = 201;
        return issued;
      },
      {
        parse: "json",
        body: IssueKeyBody,
        headers: IdempotencyHeader,
        detail: detail({
          id: "issueKey",
          summary: "Issue a vault key; the one answer in which it stands",
          answer: IssuedKeyAnswer,
          status: 201,
          fails: [404, 409],
        }),
      },
    )
    .get(
      prefix,
      ({ query: asked, request }) =>
        control.listKeys(
          {
            ...given({ label: asked.label, label_contains: asked.label_contains, vendor: asked.vendor }),
            ...given({
              cursor: asked.cursor,
              active: asked.active === undefined ? undefined : asked.active === "true",
            }),
            limit: limitOf(asked.limit, KEYS_PER_PAGE, KEYS_PER_PAGE_MAX),
          },
          gate.actorOf(request),
        ),
      {
        query: query({
          label: parameter("Keys with exactly this run label."),
          label_contains: parameter("Keys with this in their run label."),
          vendor: parameter("Keys for this vendor."),
          active: flag("true: only keys that are neither revoked nor expired."),
          cursor: parameter("next_cursor of the page before."),
          limit: count(`Keys on a page; ${KEYS_PER_PAGE} where it is not given, ${KEYS_PER_PAGE_MAX} at most.`),
        }),
        detail: detail({
          id: "listKeys",
          summary: "List keys, the newest first, with what each has spent",
          answer: KeyPageAnswer,
        }),
      },
    )
    .use(oneKeyController(setting, prefix, detail));
}

function oneKeyController({ control, gate }: ApiSetting, prefix: (typeof KEY_PREFIXES)[number], detail: Detail) {
  return new Elysia(ELYSIA)
    .post(`${prefix}/revoke`, ({ body, request }) => control.revokeKeys(body, gate.actorOf(request)), {
      parse: "json",
      body: RevokeBody,
      detail: detail({
        id: "revokeKeys",
        summary: "Revoke keys by ids, label, label prefix, vendor, or all; in force when it answers",
        answer: RevokeAnswer,
        fails: [404],
      }),
    })
    .get(`${prefix}/:id`, ({ params, request }) => control.showKey(params.id, gate.actorOf(request)), {
      params: KeyId,
      query: query({}),
      detail: detail({
        id: "showKey",
        summary: "Show a key with its policy and spend",
        answer: ShownKeyAnswer,
        fails: [404],
      }),
    })
    .patch(
      `${prefix}/:id`,
      ({ params, body, request }) => control.updateKey(params.id, updateKeyRequest(body), gate.actorOf(request)),
      {
        parse: "json",
        params: KeyId,
        body: UpdateKeyBody,
        detail: detail({
          id: "updateKey",
          summary: "Change a key's expiry, caps, endpoints or other rules",
          answer: UpdatedKeyAnswer,
          fails: [404, 409],
        }),
      },
    )
    .delete(
      `${prefix}/:id`,
      async ({ params, query: asked, request }) => {
        const { id } = params;
        const how = { hard: asked.hard === "true", ...given({ reason: asked.reason }) };
        return { id, key_id: id, ...(await control.revokeKeys({ ids: [id], ...how }, gate.actorOf(request))) };
      },
      {
        params: KeyId,
        query: query({
          hard: flag("true: abort calls in flight, too; their outcome is then unknown."),
          reason: parameter("Why; agents are told."),
        }),
        detail: detail({
          id: "revokeKey",
          summary: "Revoke a key; in force when it answers, and no error when it was revoked before",
          answer: RevokedKeyAnswer,
          fails: [404],
        }),
      },
    );
}
