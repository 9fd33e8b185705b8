import { ErrorSchema } from "./answers/problem.ts";
import { exampleOf } from "./example.ts";
import { type Access, rowOf } from "./routes.ts";

/** As much of an OpenAPI document as is worked on. */
export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly responses?: Readonly<Record<string, Response>>;
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Response {
  readonly description: string;
  readonly content?: Content;
}

type Content = Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;

/** A JSON Schema (2020-12, as OpenAPI 3.1 has it). */
export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly examples?: readonly unknown[];
}

const ERROR_SCHEMA = JSON.parse(JSON.stringify(ErrorSchema)) as Schema;

/** Why a status is answered, in the order in which a request passes. */
const REASONS: Readonly<Record<number, string>> = {
  400: "The request is not HTTP or JSON as it should be.",
  401: "No token, or one that this server does not know.",
  403: "The token's role or ceiling does not allow it; or a page of another site asked.",
  404: "There is no such thing, or none that this token may see.",
  409: "It contradicts what is there.",
  413: "The body is too large.",
  415: "The body is not said to be JSON.",
  421: "Asked by a name that is not this server's.",
  422: "A field is wrong; `problems` names each.",
  429: "Too many tokens that are not good have come from this address. A good one is taken at once.",
  500: "A defect; the server's log says more.",
  503: "The store cannot be used, or the server is stopping.",
};

/**
 * The document of the plugin, completed: what any route of its kind can answer, who may use it by the table of routes, an
 * example of each body, and the words of JSON Schema that generators of clients understand best.
 */
export function completed(document: OpenApi): OpenApi & { readonly openapi: "3.1.0" } {
  const paths = Object.entries(document.paths).map(([path, methods]) => {
    const operations = Object.entries(methods).map(([method, operation]) => [
      method,
      completedOperation(method.toUpperCase(), path, operation),
    ]);
    return [path, Object.fromEntries(operations)];
  });
  return { ...plain(document), openapi: "3.1.0", paths: Object.fromEntries(paths) };
}

function completedOperation(method: string, path: string, raw: Operation): Operation {
  const access = rowOf(method, path.replace(/\{(\w+)\}/g, ":$1"))?.access;
  if (access === undefined) throw new Error(`${method} ${path} has no row in the table of routes`);
  const operation = plain(raw);
  return {
    ...operation,
    description: `${operation.summary}. ${audience(access)}`,
    ...security(access),
    ...(operation.parameters && { parameters: operation.parameters.map(completedParameter) }),
    ...(operation.requestBody && { requestBody: withRequestExample(method, operation.requestBody) }),
    responses: responses(method, path, operation, access),
  };
}

function audience(access: Access): string {
  if (access === "anyone") return "Anyone may ask.";
  if (access === "vault_key") return "For the bearer of a vault key.";
  return `Roles: ${access.join(", ")}.`;
}

function security(access: Access): object {
  if (access === "anyone") return { security: [] };
  if (access === "vault_key") return { security: [{ vaultKey: [] }] };
  return { security: [{ controlToken: [] }], "x-roles": access };
}

function completedParameter(parameter: Parameter): Parameter {
  // The plugin leaves `type: undefined` where there is `anyOf`, and moves examples out of the schema.
  const { examples, ...rest } = parameter as Parameter & { readonly examples?: readonly unknown[] };
  return { ...rest, schema: examples ? { ...rest.schema, examples } : rest.schema };
}

/** @throws Error where a success is not described: a route is not to be half in the document. */
function responses(
  method: string,
  path: string,
  { responses: own = {} }: Operation,
  access: Access,
): Readonly<Record<string, Response>> {
  const success = Object.entries(own).filter(([status]) => Number(status) < 300);
  if (success.length !== 1) throw new Error(`${method} ${path} must say what it answers`);
  const takesBody = method !== "GET";
  const isProbe = path === "/healthz" || path === "/readyz";
  const failing = new Set([
    ...Object.keys(own).map(Number),
    ...(access === "anyone" ? [] : [401]),
    ...(takesBody ? [400, 413, 415] : []),
    ...(path.includes("{") ? [400] : []),
    ...(isProbe ? [] : [421, 422]),
    ...[403, 500, 503],
  ]);
  if (failing.has(401)) failing.add(429);
  const errors = [...failing].filter((status) => status >= 400).sort((a, b) => a - b);
  const [[status, answer]] = success as [[string, Response]];
  return Object.fromEntries([
    [status, { ...answer, content: withExamples(answer.content ?? {}) }],
    ...errors.map((code) => [String(code), { description: REASONS[code], content: ERROR_CONTENT }]),
  ]);
}

const ERROR_CONTENT: Content = withExamples({ "application/json": { schema: ERROR_SCHEMA } });

function withExamples(content: Content): Content {
  const entries = Object.entries(content).map(([type, { schema }]) => [type, { schema, example: exampleOf(schema) }]);
  return Object.fromEntries(entries);
}

/** What DELETE is to do may be said in its query as well; of any other method the body is what is asked for. */
function withRequestExample(method: string, { content }: NonNullable<Operation["requestBody"]>) {
  const given = Object.entries(content).map(([type, { schema }]) => [type, { schema, example: schema.examples?.[0] }]);
  return { required: method !== "DELETE", content: Object.fromEntries(given) };
}

/** As JSON has it, with a choice of texts as `enum` and a map of anything by name as `additionalProperties`. */
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (_name, part) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return withoutPatterns(withEnum(part as Readonly<Record<string, unknown>>));
  }) as Value;
}

function withEnum(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf)) return schema;
  const words = (anyOf as Schema[]).map((one) => one.const);
  return words.every((word) => typeof word === "string") ? { ...rest, type: "string", enum: words } : schema;
}

function withoutPatterns(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { patternProperties, ...rest } = schema;
  const patterns = Object.entries((patternProperties ?? {}) as Record<string, Schema>);
  return patterns.length === 1 && patterns[0]![0] === "^(.*)$"
    ? { ...rest, additionalProperties: patterns[0]![1] }
    : schema;
}
