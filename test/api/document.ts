import Ajv, { type ValidateFunction } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { createApi } from "../../src/api/api.ts";
import type { ApiOptions } from "../../src/api/setting.ts";

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly description: string;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: Content }>>;
}

type Content = Readonly<Record<string, { readonly schema: object; readonly example: unknown }>>;

export interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>>; readonly securitySchemes: object };
}

/** What was asked and what came back, as it went over the wire. */
export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** The document that a server gives out, and a judge of whether its answers are as it says. */
export class ApiDocument {
  readonly document: Document;
  readonly #ajv: Ajv;

  constructor(document: Document) {
    this.document = document;
    this.#ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
    addFormats(this.#ajv);
    this.#ajv.addSchema(closed(document) as object, "document");
  }

  static async of(options: ApiOptions): Promise<ApiDocument> {
    const request = new Request("http://keybrake.internal/docs/json", { headers: { host: "127.0.0.1" } });
    const answer = await createApi(options).handle(request);
    return new ApiDocument((await answer.json()) as Document);
  }

  operations(): readonly { readonly method: string; readonly path: string; readonly operation: Operation }[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
  }

  /** What of an answer is not as the document says; fields that it does not name are wrong, too. */
  contradictions({ method, path, status, contentType, text }: Exchange): readonly string[] {
    const found = this.#find(method, path);
    if (!found) return [];
    const type = contentType.split(";", 1)[0]!;
    const pointer = ["paths", found.path, found.method, "responses", String(status), "content", type, "schema"];
    const described = this.document.paths[found.path]![found.method]!.responses[status];
    if (!described) return [`${method} ${found.path} was answered ${status}, which the document does not have`];
    if (!described.content[type]) return [`${method} ${found.path} ${status} came as ${type}`];
    if (type !== "application/json") return [];
    const validate = this.validator(pointer);
    if (validate(JSON.parse(text))) return [];
    const errors = validate.errors!.map(({ instancePath, message, params }) => {
      return `${instancePath || "/"} ${message} ${JSON.stringify(params)}`;
    });
    return [`${method} ${found.path} ${status}: ${errors.join("; ")} in ${text.slice(0, 300)}`];
  }

  /** Of the schema at this place in the document. */
  validator(place: readonly string[]): ValidateFunction {
    const pointer = place.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
    return this.#ajv.getSchema(`document#/${pointer}`)!;
  }

  /** The described route of a request; undefined for one that is not described. Whole names win over parameters. */
  #find(method: string, path: string): { readonly path: string; readonly method: string } | undefined {
    const asked = path.split("?", 1)[0]!.replace(/^\/(?:v1\/)?keys(?=\/|$)/, "/vault/keys");
    const parts = asked.split("/");
    const fitting = Object.keys(this.document.paths)
      .filter((candidate) => {
        const own = candidate.split("/");
        return own.length === parts.length && own.every((part, at) => part.startsWith("{") || part === parts[at]);
      })
      .sort((a, b) => a.split("{").length - b.split("{").length)
      .find((candidate) => this.document.paths[candidate]![method.toLowerCase()]);
    return fitting === undefined ? undefined : { path: fitting, method: method.toLowerCase() };
  }
}

/** Objects with named fields have no others: what the document leaves out, an answer must not have. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const inside = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, closed(part)]));
  const isObjectSchema = inside["type"] === "object" && inside["properties"] && !("additionalProperties" in inside);
  return isObjectSchema ? { ...inside, additionalProperties: false } : inside;
}
