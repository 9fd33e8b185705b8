import { type DocumentNode, GraphQLError, Kind, type OperationDefinitionNode, parse, visit } from "graphql";
import type { Call, JsonValue } from "../core/call.ts";
import type { NoExposure } from "./vendor.ts";

/** What a declaration says of an endpoint that takes GraphQL. */
export interface GraphqlTerms {
  /** The mutations that are free; any other one may move money. */
  readonly mutations: readonly string[];
  /** Fields that no selection may have, because they hand out credentials. */
  readonly closed_fields?: readonly string[];
}

/** What GraphQL over HTTP has in a body; `extensions` would name a document that is not in the request. */
const BODY_FIELDS: ReadonlySet<string> = new Set(["query", "variables", "operationName"]);
/** Some ten times what a large document has. It bounds the work before anything is known of the call. */
const TOKENS_MAX = 10_000;

/**
 * Judges GraphQL calls by the operation in their body: queries are free, of mutations those that are listed. Taken is one
 * operation with one mutation and no alias, so that what is judged is what runs, and once.
 */
export function graphqlRefusal(terms: GraphqlTerms): (call: Call) => NoExposure | undefined {
  const free = new Set(terms.mutations);
  const closed = new Set(terms.closed_fields ?? []);
  return (call) => {
    // Many servers prefer `query` in the address to the one in the body (GraphQL over HTTP, 2024-05), or read an `id` there.
    if (call.query !== "") return refused("request_rejected", "a GraphQL call has nothing in the query of its address");
    const text = queryOf(call.json);
    if (typeof text !== "string") return text;
    const document = parsed(text);
    if ("ok" in document) return document;
    const operations = document.definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
    const [operation] = operations;
    if (!operation || operations.length > 1) {
      return refused(
        "request_rejected",
        `a GraphQL document has one operation here, and this one ${operations.length}`,
      );
    }
    return fieldRefusal(document, closed) ?? operationRefusal(operation, free);
  };
}

function queryOf(json: JsonValue | undefined): string | NoExposure {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return refused("request_rejected", "a GraphQL call is a JSON object with a query; a list of several is not taken");
  }
  const body = json as Readonly<Record<string, JsonValue>>;
  const stranger = Object.keys(body).find((name) => !BODY_FIELDS.has(name));
  if (stranger !== undefined) {
    const got = JSON.stringify(stranger.slice(0, 60));
    return refused("request_rejected", `a GraphQL body has query, variables and operationName, and not ${got}`);
  }
  const { query } = body;
  return typeof query === "string" ? query : refused("request_rejected", "the GraphQL body has no text in query");
}

function parsed(text: string): DocumentNode | NoExposure {
  try {
    return parse(text, { maxTokens: TOKENS_MAX, noLocation: true });
  } catch (cause) {
    const why = cause instanceof GraphQLError ? cause.message.slice(0, 200) : "it is nested too deeply";
    return refused("request_rejected", `the GraphQL document cannot be read: ${why.replace(/[.\s]+$/, "")}`);
  }
}

/** In the operation and in all fragments. */
function fieldRefusal(document: DocumentNode, closed: ReadonlySet<string>): NoExposure | undefined {
  let refusal: NoExposure | undefined;
  visit(document, {
    Field({ alias, name }) {
      if (alias) {
        refusal ??= refused(
          "request_rejected",
          `the alias ${alias.value} is not taken; ask for ${name.value} by its name`,
        );
      } else if (closed.has(name.value)) {
        refusal ??= refused("endpoint_denied", `the field ${name.value} hands out a credential and is closed`);
      }
    },
  });
  return refusal;
}

function operationRefusal(
  { operation, selectionSet: { selections } }: OperationDefinitionNode,
  free: ReadonlySet<string>,
): NoExposure | undefined {
  if (operation === "query") return undefined;
  if (operation === "subscription") return refused("cost_unknown", "a GraphQL subscription is not forwarded");
  const [field] = selections;
  if (selections.length !== 1 || field?.kind !== Kind.FIELD || (field.directives ?? []).length > 0) {
    return refused(
      "request_rejected",
      "a GraphQL mutation has one field here, without fragments and directives around it",
    );
  }
  if (free.has(field.name.value)) return undefined;
  return refused(
    "cost_unknown",
    `the mutation ${field.name.value} is not known to be free, and what it costs is not known. Do not retry`,
  );
}

function refused(code: NoExposure["code"], why: string): NoExposure {
  return { ok: false, code, message: `Keybrake: ${why}.` };
}
