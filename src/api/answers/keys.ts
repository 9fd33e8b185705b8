import { Type } from "@sinclair/typebox";
import type {
  IssuedKeyView,
  KeyPage,
  KeyView,
  RevokeView,
  SelfView,
  ShownKeyView,
  SpendView,
  UpdatedKeyView,
} from "../../operate/control-plane.ts";
import { answerOf, oneOf, orNull } from "../described.ts";
import { AutoRevokeAnswer } from "./auto-revoke.ts";
import { BudgetAboveAnswer, BudgetAnswer } from "./budgets.ts";
import { PolicyAnswer } from "./policy.ts";
import {
  count,
  dollars,
  instant,
  instantOrNull,
  keyId,
  labelOrNull,
  nextCursor,
  vendorList,
  vendorName,
  vendorOrNull,
  warnings,
  words,
} from "./values.ts";

const SpendAnswer = answerOf<SpendView>()(
  Type.Object(
    {
      settled_usd: dollars("What its calls did cost."),
      held_usd: dollars("What calls in flight may cost at most."),
      unresolved_usd: dollars("What calls of unknown outcome may have cost; counted as spent."),
      calls: count("Calls that were made."),
      refused: count("Of these, calls that were not let through."),
      budgets: Type.Array(BudgetAnswer, { description: "Each of its caps." }),
    },
    { title: "Spend" },
  ),
);

const BASE_URL = "http://127.0.0.1:7878/stripe";
const STATUS = oneOf(["active", "revoked", "expired"], "Revoked counts before expired.");

const KEY = {
  id: keyId("The key's id; no secret."),
  key_id: keyId("The same as id."),
  hint: words("To recognise the key by.", "vault_key_…a1B2"),
  vendor: vendorOrNull,
  vendors: vendorList,
  base_url: orNull(
    words("An address.", BASE_URL),
    "Where the agent's SDK is pointed; null where each vendor has its own.",
  ),
  base_urls: Type.Record(Type.String(), Type.String(), {
    description: "Where the agent's SDKs are pointed, by vendor.",
    examples: [{ stripe: BASE_URL }],
  }),
  agent_run_label: labelOrNull,
  agent_name: orNull(words("The agent.", "billing_agent"), "The agent's name; null where none was given."),
  template: orNull(words("The template.", "billing"), "What it was issued from; null where from no template."),
  status: STATUS,
  created_at: instant("When it was issued."),
  expires_at: instant("When it stops by itself."),
  revoked_at: instantOrNull("When it was revoked; null where it was not."),
  revoke_reason: orNull(words("Why.", "stuck loop"), "Why it was revoked; agents are told."),
  metadata: Type.Record(Type.String(), Type.String(), {
    description: "Flat strings that stand on every audit row of the key.",
    examples: [{ agent_id: "billing_agent" }],
  }),
  policy: PolicyAnswer,
};

/** A key in a list. */
const KeyAnswer = answerOf<KeyView>()(Type.Object({ ...KEY, spend: SpendAnswer }, { title: "VaultKey" }));

const sharedBudgets = orNull(
  Type.Array(BudgetAboveAnswer),
  "Budgets above keys that its calls are charged to as well; null where budgets.yaml is broken.",
);

/** `GET /vault/keys`. */
export const KeyPageAnswer = answerOf<KeyPage>()(
  Type.Object({ keys: Type.Array(KeyAnswer), next_cursor: nextCursor }, { title: "VaultKeyPage" }),
);

/** `GET /vault/keys/{id}`. */
export const ShownKeyAnswer = answerOf<ShownKeyView>()(
  Type.Object(
    { ...KEY, spend: SpendAnswer, shared_budgets: sharedBudgets, auto_revoke: AutoRevokeAnswer },
    { title: "ShownVaultKey" },
  ),
);

/** `PATCH /vault/keys/{id}`. */
export const UpdatedKeyAnswer = answerOf<UpdatedKeyView>()(
  Type.Object({ ...KEY, spend: SpendAnswer, warnings }, { title: "UpdatedVaultKey" }),
);

const token = (description: string) => words(description, "vault_key_shown-once");

/** `POST /vault/keys`. */
export const IssuedKeyAnswer = answerOf<IssuedKeyView>()(
  Type.Object(
    {
      ...KEY,
      vault_key: token("The key itself, for the agent. It is shown this once."),
      token: token("The same as vault_key."),
      vault_key_alphanumeric: token("The same key in letters and digits only, for SDKs that take nothing else."),
      agent_lines: Type.Array(
        Type.Object({
          vendor: vendorName("The vendor."),
          language: words("The language.", "Python"),
          lines: Type.Array(words("A line.", 'stripe.api_key = os.environ["STRIPE_API_KEY"]')),
        }),
        { description: "What to change in the agent, per vendor and language." },
      ),
      environment: Type.Record(Type.String(), Type.String(), {
        description: "Variables that the vendor's SDKs read.",
        examples: [{ STRIPE_API_KEY: "vault_key_shown-once" }],
      }),
      warnings,
    },
    { title: "IssuedVaultKey" },
  ),
);

/** `POST /vault/keys/revoke`. */
export const RevokeAnswer = answerOf<RevokeView>()(
  Type.Object(
    {
      revoked: Type.Array(keyId("A key."), { description: "Revoked by this request; in force when it answers." }),
      already_revoked: Type.Array(keyId("A key."), { description: "Asked for by id, and revoked before." }),
    },
    { title: "Revoked" },
  ),
);

/** `DELETE /vault/keys/{id}`. */
export const RevokedKeyAnswer = Type.Object(
  { id: KEY.id, key_id: KEY.key_id, ...RevokeAnswer.properties },
  { title: "RevokedVaultKey" },
);

/** `GET /vault/self`. */
export const SelfAnswer = answerOf<SelfView>()(
  Type.Object(
    {
      key_id: KEY.key_id,
      vendor: KEY.vendor,
      vendors: KEY.vendors,
      agent_run_label: labelOrNull,
      status: STATUS,
      expires_at: KEY.expires_at,
      policy: PolicyAnswer,
      spend: SpendAnswer,
      shared_budgets: sharedBudgets,
      auto_revoke: AutoRevokeAnswer,
    },
    { title: "Self" },
  ),
);
