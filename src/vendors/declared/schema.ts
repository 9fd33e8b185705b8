import { type Static, Type } from "@sinclair/typebox";
import { type RefusalCode, VERDICTS } from "../../core/verdict.ts";
import { OperationSchema } from "./operation-schema.ts";
import { header, object, oneOf, origin, path, text } from "./schema-parts.ts";

const CredentialSchema = object(
  {
    scheme: oneOf(
      ["bearer", "basic", "header"],
      "bearer: Authorization: Bearer; basic: Authorization: Basic; header: a header of the vendor's own. A secret in the URL is refused: URLs are logged on their way.",
    ),
    word: Type.Optional(text("What stands in the place of Bearer: Token.", "one word", "^[A-Za-z][A-Za-z0-9-]{0,40}$")),
    position: Type.Optional(
      oneOf(["user", "password"], "basic: where the secret stands. Beside `password` the account id is the user name."),
    ),
    header: Type.Optional(header("header: its name.")),
    body_field: Type.Optional(
      text(
        "A field at the top of JSON bodies in which the SDK repeats the key; it is replaced there, too.",
        "a field's name",
        "^[A-Za-z_][A-Za-z0-9_]{0,60}$",
      ),
    ),
    sdk_headers: Type.Optional(
      Type.Array(header("A header."), { description: "Other headers in which an SDK sends the key." }),
    ),
  },
  { description: "How the secret is sent, and where SDKs put the vault key." },
);

const REFUSAL_CODES = (Object.keys(VERDICTS) as (keyof typeof VERDICTS)[]).filter(
  (code): code is RefusalCode => code !== "allowed",
);

const ErrorsSchema = object(
  {
    body: text(
      "JSON text in which {message}, {code}, {status}, {request_id} and {word} stand for JSON values. Keybrake adds its own object.",
      'a JSON object like {"error": {"message": {message}}}',
      "^[^]{2,2000}$",
    ),
    words: Type.Optional(
      Type.Record(Type.String(), text("A word or number.", "text or a number", "^[^\\p{Cc}]{0,100}$"), {
        description: "What {word} is, by Keybrake's code; `other` for the rest.",
      }),
    ),
    statuses: Type.Optional(
      Type.Record(Type.String(), text("A status.", "a status from 400 to 599", "^[45][0-9]{2}$"), {
        description: "The status by Keybrake's code, where it is another one: cap_exceeded: 403.",
      }),
    ),
  },
  { description: "How the vendor says no, so that its SDK understands." },
);

const AgentSchema = object(
  {
    lines: Type.Optional(
      Type.Array(
        object(
          { language: text("Node, Python, …"), lines: Type.Array(text("A line."), { description: "The lines." }) },
          { description: "A language." },
        ),
        { description: "What an agent changes, as `key issue` prints it." },
      ),
    ),
    environment: Type.Optional(
      Type.Record(Type.String(), text("A value."), { description: "Variables that `keybrake run` sets." }),
    ),
  },
  {
    description:
      "What to tell an agent. {vault_key}, {vault_key_alphanumeric}, {base_url} (with the vendor's name), {base_host} (the same without http://), {origin} (without the vendor's name), {https} (true or false) and {account} are filled in.",
  },
);

/** One vendor, declared. Keybrake's own declarations, keybrake.yaml, `vendor lint` and docs/declared-vendors.md follow from it. */
export const DeclarationSchema = object(
  {
    title: text("The vendor's name for people."),
    origin: origin("Where its calls go. `keybrake vendor set` can give another one."),
    hosts: Type.Optional(
      Type.Record(Type.String(), origin("Where these calls go."), {
        description: "Other hosts, by the first segment of the path, which is taken off.",
      }),
    ),
    account: Type.Optional(
      object(
        {
          pattern: text("A regular expression for the whole id."),
          description: text("What it looks like, for people."),
        },
        { description: "An account id that `vendor set` must be given." },
      ),
    ),
    credential: CredentialSchema,
    unprefixed: Type.Optional(
      Type.Array(path("A path's beginning."), {
        description: "Beginnings of paths that are this vendor's also without its name before them.",
      }),
    ),
    request_headers: Type.Optional(
      Type.Array(header("A header."), {
        description: "Request headers that are passed on, beside content-type, accept and user-agent.",
      }),
    ),
    request_id_header: Type.Optional(header("The header in which the vendor gives its own id of a request.")),
    idempotency: Type.Optional(
      oneOf(
        ["always", "passed", "never"],
        "Whether POSTs carry Idempotency-Key: always (one is made), passed (where the agent sent one) or never (the default).",
      ),
    ),
    body: Type.Optional(
      Type.Array(oneOf(["json", "form", "multipart", "opaque"], "A body."), {
        description: "The kinds of bodies that it takes. Default: json.",
      }),
    ),
    repeatable_fields: Type.Optional(
      Type.Array(text("A field."), { description: "Form fields that make a list when they are repeated." }),
    ),
    released_statuses: Type.Optional(
      Type.Array(text("A status.", "a status from 400 to 499", "^4[0-9]{2}$"), {
        description: "Statuses after which nothing was spent, beside 400, 401, 403, 404 and 422.",
      }),
    ),
    probe: Type.Optional(path("A cheap read for `vendor test`; {account} is the account id.")),
    errors: Type.Optional(ErrorsSchema),
    agent: Type.Optional(AgentSchema),
    operations: Type.Array(OperationSchema, {
      description: "What it can do. The first whose route matches decides; a call that matches none is refused.",
    }),
  },
  { description: "A vendor." },
);

export type Declaration = Static<typeof DeclarationSchema>;
export type DeclaredCredential = Static<typeof CredentialSchema>;

/** The words under `errors.words` and `errors.statuses`. */
export const ERROR_CODES: ReadonlySet<string> = new Set(REFUSAL_CODES);
