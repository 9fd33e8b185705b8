import { swagger } from "@elysiajs/swagger";
import { type AnyElysia, Elysia } from "elysia";
import { VERSION } from "../core/version.ts";
import { docsPage, type OpenApi } from "./docs-page.ts";
import { ELYSIA } from "./setting.ts";

const SPEC_PATH = "/docs/json";

const DOCUMENTATION = {
  info: {
    title: "Keybrake control API",
    version: VERSION,
    description:
      "What operators and their programs call. Every request carries Authorization: Bearer and a control token " +
      "(keybrake token issue). Errors are { error: { code, message, hint, problems }, message }.",
  },
  components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
  security: [{ token: [] }],
} as const;

/** Nothing of the page runs or is loaded from anywhere. */
const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
};

/**
 * `/docs/json`, the OpenAPI document that @elysiajs/swagger derives from the routes' own schemas, and `/docs`, a page of our
 * own made of it: the plugin's page loads its script from a CDN, and an operator's browser may have no internet.
 * @param controllers makes the routes that are described; they are only looked at.
 */
export function docsController(controllers: () => readonly AnyElysia[]) {
  let document: Promise<OpenApi> | undefined;
  const specification = () => {
    document ??= describe(controllers());
    return document;
  };
  return new Elysia(ELYSIA)
    .get(SPEC_PATH, () => specification(), { detail: { hide: true } })
    .get("/docs", async () => new Response(docsPage(await specification()), { headers: PAGE_HEADERS }), {
      detail: { hide: true },
    });
}

async function describe(controllers: readonly AnyElysia[]): Promise<OpenApi> {
  // An instance of its own, which is never served: the plugin's page must not be reachable.
  const described = new Elysia(ELYSIA);
  for (const controller of controllers) described.use(controller);
  described.use(
    swagger({ path: "/page", specPath: SPEC_PATH, documentation: structuredClone(DOCUMENTATION) as never }),
  );
  const answer = await described.handle(new Request(`http://localhost${SPEC_PATH}`));
  return withAnswers((await answer.json()) as OpenApi);
}

/** What every answer needs to be OpenAPI, and the one shape of all errors. */
function withAnswers(document: OpenApi): OpenApi {
  const error = { description: "An error: { error: { code, message, hint, problems }, message }." };
  const paths = Object.entries(document.paths).map(([path, methods]) => {
    const described = Object.entries(methods).map(([method, operation]) => {
      const own = Object.entries(operation.responses ?? {}).map(([status, response]) => [
        status,
        { description: "The answer, as JSON.", ...response },
      ]);
      return [method, { ...operation, responses: { ...Object.fromEntries(own), default: error } }];
    });
    return [path, Object.fromEntries(described)];
  });
  return { ...document, paths: Object.fromEntries(paths) };
}
