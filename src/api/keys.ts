import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { KEYS_PER_PAGE, KEYS_PER_PAGE_MAX } from "../operate/keys.ts";
import { KeyIssuer } from "./issue-once.ts";
import { IssueKeyBody, issueKeyRequest, RevokeBody, UpdateKeyBody, updateKeyRequest } from "./key-requests.ts";
import { count, flag, given, limitOf, parameter, query } from "./query.ts";
import { KEY_PREFIXES } from "./routes.ts";
import { type ApiSetting, CREATED, ELYSIA } from "./setting.ts";

const TAGS = ["Vault keys"];

/** Vault keys under each of their prefixes; only the canonical one is in the documentation. */
export function keyControllers(setting: ApiSetting) {
  const issuer = new KeyIssuer(setting);
  return KEY_PREFIXES.map((prefix) => keyController(setting, issuer, prefix));
}

function keyController(setting: ApiSetting, issuer: KeyIssuer, prefix: (typeof KEY_PREFIXES)[number]) {
  const { control, gate } = setting;
  const hidden = prefix === KEY_PREFIXES[0] ? {} : { hide: true };
  const detail = (summary: string) => ({ summary, tags: TAGS, ...hidden });
  return new Elysia(ELYSIA)
    .post(
      prefix,
      async ({ body, request, set }) => {
        const key = request.headers.get("idempotency-key");
        const issued = await issuer.issue(issueKeyRequest(body), gate.actorOf(request), key, body);
        set.status = 201;
        return issued;
      },
      {
        parse: "json",
        body: IssueKeyBody,
        detail: { ...detail("Issue a vault key; the one answer in which it stands"), ...CREATED },
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
        detail: detail("List keys, the newest first, with what each has spent"),
      },
    )
    .use(oneKeyController(setting, prefix, detail));
}

function oneKeyController(
  { control, gate }: ApiSetting,
  prefix: (typeof KEY_PREFIXES)[number],
  detail: (summary: string) => { summary: string; tags: string[]; hide?: boolean },
) {
  return new Elysia(ELYSIA)
    .post(`${prefix}/revoke`, ({ body, request }) => control.revokeKeys(body, gate.actorOf(request)), {
      parse: "json",
      body: RevokeBody,
      detail: detail("Revoke keys by ids, label, label prefix, vendor, or all; in force when it answers"),
    })
    .get(`${prefix}/:id`, ({ params, request }) => control.showKey(params.id, gate.actorOf(request)), {
      query: query({}),
      detail: detail("Show a key with its policy and spend"),
    })
    .patch(
      `${prefix}/:id`,
      ({ params, body, request }) => control.updateKey(params.id, updateKeyRequest(body), gate.actorOf(request)),
      { parse: "json", body: UpdateKeyBody, detail: detail("Change a key's expiry, caps, endpoints or other rules") },
    )
    .delete(
      `${prefix}/:id`,
      async ({ params, query: asked, request }) => {
        const { id } = params;
        const how = { hard: asked.hard === "true", ...given({ reason: asked.reason }) };
        return { id, key_id: id, ...(await control.revokeKeys({ ids: [id], ...how }, gate.actorOf(request))) };
      },
      {
        params: Type.Object({ id: Type.String() }),
        query: query({
          hard: flag("true: abort calls in flight, too; their outcome is then unknown."),
          reason: parameter("Why; agents are told."),
        }),
        detail: detail("Revoke a key; in force when it answers, and no error when it was revoked before"),
      },
    );
}
