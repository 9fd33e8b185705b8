import { type Static, type TSchema, Type } from "@sinclair/typebox";

/** What the document says of a route; statuses that every route of its kind can have are added by `src/api/openapi.ts`. */
export interface RouteWords {
  /** The operation's name in generated clients: `issueKey`. */
  readonly id: string;
  readonly summary: string;
  readonly tag: string;
  /** The schema of the answer as JSON, or of each content type that it can have. */
  readonly answer: TSchema | { readonly content: Readonly<Record<string, TSchema>> };
  /** Of the answer where nothing is wrong; 200 where it is not given. */
  readonly status?: 200 | 201;
  /** What else can be wrong with a request like this one, beside what every route has. */
  readonly fails?: readonly (401 | 404 | 409)[];
  /** A second name of the same route: served and not described. */
  readonly hide?: boolean;
}

/** The `detail` of a route as @elysiajs/swagger reads it. */
export interface RouteDetail {
  operationId: string;
  summary: string;
  tags: string[];
  hide?: boolean;
  responses: Record<string, { description: string }>;
}

/** Every route's `detail`: its words, and the schemas of what it answers. */
export function described({ id, summary, tag, answer, status = 200, fails = [], hide }: RouteWords): RouteDetail {
  const content = "content" in answer ? (answer.content as Record<string, TSchema>) : { "application/json": answer };
  const schemas = Object.entries(content).map(([type, schema]) => [type, { schema }]);
  const success = {
    description: status === 201 ? "What was made." : "The answer.",
    content: Object.fromEntries(schemas),
  };
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(hide === true ? { hide } : {}),
    responses: {
      [status]: success,
      ...Object.fromEntries(fails.map((code) => [code, { description: "" }])),
    },
  };
}

type Frozen<Value> = Value extends readonly (infer Entry)[]
  ? readonly Frozen<Entry>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: Frozen<Value[Name]> }
    : Value;
type IsSame<A, B> = [Frozen<A>] extends [Frozen<B>] ? ([Frozen<B>] extends [Frozen<A>] ? unknown : never) : never;

/**
 * The schema of what an operator's verb answers. It compiles only where the schema says exactly what the view's type does, so
 * that a field cannot be added to one of them alone: `answerOf<BrakeView>()(Type.Object({ … }))`.
 */
export function answerOf<View>() {
  return <Schema extends TSchema>(schema: Schema & IsSame<Static<Schema>, View>): Schema => schema;
}

/** One of these texts. */
export function oneOf<const Words extends readonly string[]>(words: Words, description: string) {
  return Type.Unsafe<Words[number]>({ type: "string", enum: [...words], description, examples: [words[0]] });
}

/** The schema, or null where there is nothing. */
export function orNull<Schema extends TSchema>(schema: Schema, why: string) {
  return Type.Union([schema, Type.Null()], { description: why });
}
