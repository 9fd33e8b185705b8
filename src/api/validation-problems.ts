import type { ValidationError } from "elysia";
import { nearestName } from "../core/nearest.ts";
import { splitChange } from "../policy/change.ts";
import { shown } from "../policy/field-values.ts";
import { POLICY_FIELD_NAMES } from "../policy/schema.ts";
import { validateFields } from "../policy/validate.ts";
import type { FieldProblem } from "./api-problem.ts";

interface Finding {
  readonly path: string;
  readonly message: string;
  readonly value?: unknown;
  readonly schema?: Schema;
}

/** As much of a TypeBox schema as a message needs. */
interface Schema {
  readonly [keyword: string]: unknown;
}

/** What a person reads at once; a body may have a hundred thousand wrong fields. */
const PROBLEMS_MAX = 50;
/** Of a field's name, which may be as long as the body. */
const NAME_CHARACTERS_MAX = 100;

/** The fields that are wrong, each once, from what TypeBox found. */
export function fieldProblems(error: ValidationError): readonly FieldProblem[] {
  const whole = error.value as unknown;
  const known = Object.keys((error.validator as { schema?: { properties?: object } })?.schema?.properties ?? {});
  const byField = new Map<string, FieldProblem>();
  for (const finding of error.all as readonly Finding[]) {
    if (byField.size >= PROBLEMS_MAX) break;
    const path = finding.path.split("/").slice(1);
    const field = path.join(".");
    if (byField.has(field)) continue;
    for (const problem of problemsOf(finding, path, whole, known)) byField.set(problem.field, problem);
  }
  // Policy fields that fit the schema and are wrong all the same: everything is said at once.
  const policy = pickPolicy(whole, known);
  for (const problem of policyProblems(policy)) if (!byField.has(problem.field)) byField.set(problem.field, problem);
  return [...byField.values()];
}

function problemsOf(
  { message, value, schema = {} }: Finding,
  path: readonly string[],
  whole: unknown,
  known: readonly string[],
): readonly FieldProblem[] {
  const field = path.join(".");
  const [top = ""] = path;
  if (field === "") {
    const got = shown(value);
    return [{ field: "body", message: `the request must be a JSON object, not ${got}`, allowed: "a JSON object", got }];
  }
  if (message === "Unexpected property" && path.length === 1) return [unknownField(top, known)];
  // The policy's own reader says what is wrong with a policy better than its schema can.
  const policy = policyProblems(pickPolicy(whole, known.includes(top) ? [top] : []));
  if (policy.length > 0) return policy;
  if (value === undefined) return [{ field, message: `${field} is missing`, allowed: allowedText(schema) }];
  const allowed = allowedText(schema);
  if (schema["writeOnly"] === true) return [{ field, message: `${field} must be ${allowed}`, allowed }];
  const got = shown(value);
  return [{ field, message: `${field} must be ${allowed}, not ${got}`, allowed, got }];
}

function unknownField(given: string, known: readonly string[]): FieldProblem {
  const name = given.slice(0, NAME_CHARACTERS_MAX);
  const nearest = nearestName(name, known);
  const fields = known.length > 0 ? `its fields are ${known.join(", ")}` : "it has none";
  const meant = nearest ? `did you mean ${nearest}?` : fields;
  const message = `${shown(name)} is not a field of this request; ${meant}`;
  return nearest === undefined ? { field: name, message, allowed: fields } : { field: name, message, nearest };
}

/** The policy fields among `names` that the request has; null takes one away and is no value of it. */
function pickPolicy(whole: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  const entries = typeof whole === "object" && whole !== null ? Object.entries(whole) : [];
  const fields = entries.filter(([name]) => names.includes(name) && POLICY_FIELD_NAMES.has(name));
  return splitChange(Object.fromEntries(fields)).given;
}

/** What the policy's own reader has to say about these fields. */
export function policyProblems(fields: Readonly<Record<string, unknown>>): readonly FieldProblem[] {
  const result = validateFields(fields);
  if (result.ok) return [];
  return result.problems.map(({ path, message, nearest }) => ({
    field: path.join(".").slice(0, 2 * NAME_CHARACTERS_MAX),
    message,
    got: shown(path.reduce<unknown>((value, part) => (value as Readonly<Record<string, unknown>>)?.[part], fields)),
    ...(nearest === undefined ? {} : { nearest }),
  }));
}

/** What a schema allows, in words; `x-allowed` where the schema's author has better ones. */
function allowedText(schema: Schema): string {
  if (typeof schema["x-allowed"] === "string") return schema["x-allowed"];
  const variants = schema["anyOf"] as readonly Schema[] | undefined;
  if (variants) return variants.map(allowedText).join(" or ");
  if (schema["const"] !== undefined) return String(schema["const"]);
  switch (schema["type"]) {
    case "string":
      return "text";
    case "boolean":
      return "true or false";
    case "integer":
      return "a whole number";
    case "array":
      return "a list";
    case "null":
      return "null";
    default:
      return schema["type"] === undefined ? "valid" : `a JSON ${String(schema["type"])}`;
  }
}
