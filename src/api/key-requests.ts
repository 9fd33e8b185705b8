import { type Static, type TProperties, Type } from "@sinclair/typebox";
import { Problem } from "../core/problem.ts";
import type { IssueKeyRequest, UpdateKeyRequest } from "../operate/control-plane.ts";
import { splitChange } from "../policy/change.ts";
import { POLICY_FIELD_NAMES, PolicySchema, VENDOR_FIELD_SCHEMAS } from "../policy/schema.ts";
import { InvalidFields } from "./api-problem.ts";
import { given } from "./query.ts";
import { policyProblems } from "./validation-problems.ts";

const policyFields = Type.Partial(PolicySchema).properties;

const text = (description: string) => Type.Optional(Type.String({ description }));

/** The body of `POST /vault/keys`: every policy field, and what makes a key of a policy. */
export const IssueKeyBody = Type.Object(
  {
    ...policyFields,
    like: text(
      "The id of a key, revoked or not: the new one has its policy, template, label, agent and metadata, where the request has none of its own; policy fields beside it only narrow.",
    ),
    template: text("A template; the policy fields beside it then only narrow it."),
    inputs: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]), {
        description: "Values for the template's inputs.",
        "x-allowed": "an object of texts or lists of texts",
      }),
    ),
    agent_run_label: text("What the run is called, up to 200 characters: ray-billing/01, tenant:acme:billing:run-7."),
    label: text("The same as agent_run_label."),
    agent_name: text("The agent's name; it stands on every audit row of the key."),
    metadata: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description:
          "Flat strings that are copied to every audit row: up to 50, names up to 64 characters, values up to 500.",
        "x-allowed": "an object of texts",
      }),
    ),
    unique_label: Type.Optional(
      Type.Boolean({ description: "Refuse with 409 where an active key has the label; the answer names that key." }),
    ),
  },
  {
    title: "IssueKey",
    additionalProperties: false,
    examples: [
      {
        vendor: "stripe",
        daily_usd_cap: 500,
        allowed_endpoints: ["POST /v1/payment_intents", "GET /v1/customers/*"],
        expires_in: "2h",
        agent_run_label: "ray-billing/01",
      },
    ],
  },
);

/** The one header of `POST /vault/keys`, as Elysia names it. */
export const IdempotencyHeader = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      pattern: "^[\\x21-\\x7e]{1,255}$",
      description: "A repeat with the same key and body within 24 hours gets the first answer; another body is 409.",
      "x-allowed": "1 to 255 printable ASCII characters without spaces",
      examples: ["run-1"],
    }),
  ),
});

export function issueKeyRequest(body: Static<typeof IssueKeyBody>): IssueKeyRequest {
  const { like, template, inputs, agent_run_label, label, agent_name, metadata, unique_label, expires_in, ...policy } =
    body;
  if (label !== undefined && agent_run_label !== undefined && label !== agent_run_label) {
    throw new Problem("invalid", "label and agent_run_label are the same thing, and two are given", "give one of them");
  }
  refuseWrong({ ...policy, ...given({ expires_in }) });
  return {
    ...given({ like, template, inputs, agent_name, metadata, unique_label, expires_in }),
    ...given({ agent_run_label: agent_run_label ?? label }),
    policy,
  };
}

/** Each of the fields, or null in its place. */
function changeable(fields: TProperties): TProperties {
  return Object.fromEntries(
    Object.entries(fields).map(([name, schema]) => {
      const description = `${schema.description ?? ""} null takes it away.`;
      return [name, Type.Optional(Type.Union([schema, Type.Null()], { description }))];
    }),
  );
}

const { vendors: _, ...topFields } = policyFields;

/** Vendors are those of the key: their fields are replaced one by one, and none of them is taken away. */
const changeableVendors = Type.Record(
  Type.String(),
  Type.Object(changeable(VENDOR_FIELD_SCHEMAS as TProperties), { additionalProperties: false }),
  { description: "Of a key for several vendors: fields that replace those of each vendor, null takes one away." },
);

/** The body of `PATCH /vault/keys/{id}`: policy fields replace the key's, `expires_in` counts from now. */
export const UpdateKeyBody = Type.Object(
  {
    ...changeable(topFields),
    vendors: Type.Optional(changeableVendors),
    expires_in: PolicySchema.properties.expires_in,
  },
  { title: "UpdateKey", additionalProperties: false, examples: [{ daily_usd_cap: "250.00", expires_in: "30m" }] },
);

export function updateKeyRequest(body: Static<typeof UpdateKeyBody>): UpdateKeyRequest {
  const { expires_in } = body;
  const policy = Object.entries(body).filter(([name]) => name !== "expires_in" && POLICY_FIELD_NAMES.has(name));
  refuseWrong(splitChange(Object.fromEntries([...policy, ["expires_in", expires_in]])).given);
  return { ...given({ expires_in }), policy: Object.fromEntries(policy) };
}

/** Here already, field by field, so that a program can tell which of its fields is wrong. */
function refuseWrong(fields: Readonly<Record<string, unknown>>): void {
  const problems = policyProblems(fields);
  if (problems.length > 0) throw new InvalidFields(problems);
}

/** The body of `POST /vault/keys/revoke`. */
export const RevokeBody = Type.Object(
  {
    ids: Type.Optional(Type.Array(Type.String(), { description: "Keys by their ids (vk_…).", maxItems: 1000 })),
    label: text("Every key with exactly this run label."),
    label_prefix: text("Every key whose run label begins so."),
    vendor: text("Every key for this vendor."),
    all: Type.Optional(Type.Literal(true, { description: "Every key." })),
    hard: Type.Optional(Type.Boolean({ description: "Abort calls in flight, too; their outcome is then unknown." })),
    reason: text("Why; agents are told."),
  },
  {
    title: "RevokeKeys",
    additionalProperties: false,
    examples: [{ label_prefix: "ray-billing/", reason: "stuck loop" }],
  },
);
