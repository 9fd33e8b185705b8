import { swagger } from "@elysiajs/swagger";
import { type AnyElysia, Elysia } from "elysia";
import { VERSION } from "../core/version.ts";
import { docsPage } from "./docs-page.ts";
import { withNamedSchemas } from "./named-schemas.ts";
import { completed, type OpenApi } from "./openapi.ts";
import { ELYSIA } from "./setting.ts";

const SPEC_PATH = "/docs/json";

const DOCUMENTATION = {
  info: {
    title: "Keybrake control API",
    version: VERSION,
    description:
      "What operators and their programs call. Every request carries Authorization: Bearer and a control token " +
      "(keybrake token issue). Errors are { error: { code, message, hint, problems }, message }. HEAD is answered like " +
      "GET, without the body; /v1/keys and /keys are the same routes as /vault/keys.",
  },
  components: {
    securitySchemes: {
      controlToken: { type: "http", scheme: "bearer", description: "A control token (kb_…)." },
      vaultKey: { type: "http", scheme: "bearer", description: "A vault key (vault_key_…), for what concerns itself." },
    },
  },
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
    .get(SPEC_PATH, async () => withNamedSchemas(await specification()), { detail: { hide: true } })
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
  return completed((await answer.json()) as OpenApi);
}
