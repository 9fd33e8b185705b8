import { isRead, METHODS } from "../core/call.ts";
import { agentPart } from "./declared/agent.ts";
import type { DeclaredOperation } from "./declared/operation-schema.ts";
import { priced } from "./declared/price.ts";
import { declaredPrices } from "./declared/price-names.ts";
import { refusalOf } from "./declared/refusal.ts";
import { refuseOf } from "./declared/refuse.ts";
import type { Declaration } from "./declared/schema.ts";
import { readScope, type ScopePlaces, scopePlaces } from "./declared/scope.ts";
import type { GraphqlTerms } from "./graphql.ts";
import { operationOf } from "./operations.ts";
import type { MoneyKind, Operation, Vendor, VendorSecret } from "./vendor.ts";

/** Matches no path: for a vendor whose paths all begin with its name. */
const NO_PATH = /(?!)/;

/** Where the figure of a declared price is from. */
const PRICE_SOURCES = {
  shipped: "Keybrake's declaration of this vendor",
  configured: "its declaration under vendors in keybrake.yaml",
} as const;

/** A sound declaration as a vendor like any other; everything in it is read once, here. */
export function declareVendor(
  name: string,
  declaration: Declaration,
  declared: NonNullable<Vendor["declared"]> = "configured",
): Vendor {
  const { credential, request_id_header } = declaration;
  const scopes = new Map<Operation, ScopePlaces>();
  const vendor: Vendor = {
    name,
    title: declaration.title,
    declared,
    origin: declaration.origin,
    productOrigins: declaration.hosts ?? {},
    pathOrigins: [],
    unprefixed: unprefixedOf(declaration.unprefixed ?? []),
    credentialHeaders: credentialHeaders(declaration),
    ...(credential.body_field === undefined ? {} : { credentialBodyField: credential.body_field }),
    writeCredential: (secret) => [writtenCredential(declaration, secret)],
    ...accountPart(declaration),
    probePath: declaration.probe ?? "",
    requestHeaders: (declaration.request_headers ?? []).map((header) => header.toLowerCase()),
    requestIdHeader: request_id_header?.toLowerCase(),
    idempotency: declaration.idempotency ?? "never",
    bodyKinds: ["none", ...(declaration.body ?? (["json"] as const))],
    repeatableFields: new Set(declaration.repeatable_fields ?? []),
    releasedStatuses: (declaration.released_statuses ?? []).map(Number),
    prices: declaredPrices(name, declaration.operations, PRICE_SOURCES[declared]),
    operations: declaration.operations.flatMap((declared) => {
      const places = scopePlaces(declared);
      const operations = operationsOf(name, declared);
      if (places) for (const operation of operations) scopes.set(operation, places);
      return operations;
    }),
    scope: (call) => {
      const places = scopes.get(operationOf(vendor, call.method, call.path));
      return places ? readScope(places, call) : {};
    },
    refusal: refusalOf(declaration.errors),
    ...agentPart(name, declaration),
  };
  return vendor;
}

/** Stands for a vendor that `keybrake.yaml` declared once: keys for it are still out, and nothing can be called. */
export function undeclaredVendor(name: string): Vendor {
  return declareVendor(name, {
    title: name,
    origin: "https://undeclared.invalid",
    credential: { scheme: "bearer" },
    operations: [],
  });
}

/** Only the beginnings that are declared, whole segments of them. */
function unprefixedOf(beginnings: readonly string[]): RegExp {
  if (beginnings.length === 0) return NO_PATH;
  const escaped = beginnings.map((path) => path.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return new RegExp(`^(?:${escaped.join("|")})(?:\\/|$)`);
}

function credentialHeaders({ credential: { scheme, header, sdk_headers = [] } }: Declaration): readonly string[] {
  const own = scheme === "header" && header !== undefined ? [header] : [];
  return [...own, ...sdk_headers].map((name) => name.toLowerCase());
}

function writtenCredential({ credential }: Declaration, secret: VendorSecret): readonly [string, string] {
  const { scheme, word = "Bearer", header = "", position } = credential;
  if (scheme === "header") return [header.toLowerCase(), secret.secret];
  if (scheme === "bearer") return ["authorization", `${word} ${secret.secret}`];
  const user = secret.username || secret.accountId;
  const pair = position === "password" ? `${user}:${secret.secret}` : `${secret.secret}:`;
  return ["authorization", `Basic ${Buffer.from(pair).toString("base64")}`];
}

function accountPart({ account }: Declaration): Pick<Vendor, "accountId"> {
  if (!account) return {};
  const { pattern, description } = account;
  return { accountId: { flag: "--account-id", pattern: new RegExp(`^(?:${pattern})$`), description } };
}

/** One operation for each of its routes. */
function operationsOf(vendor: string, declared: DeclaredOperation): Operation[] {
  const { name, reason, body } = declared;
  const refuse = refuseOf(declared);
  return routesOf(declared).map((route): Operation => {
    const kind = kindOf(declared, route);
    return {
      name,
      route,
      class: declared.class,
      kind,
      ...(reason === undefined ? {} : { reason }),
      ...(body === undefined ? {} : { bodyKinds: ["none" as const, ...body] }),
      ...(declared.class === "priced" ? priced(vendor, declared, kind) : {}),
      ...(refuse ? { refuse } : {}),
      ...(declared.class === "free" && declared.graphql ? { counts: freeOf(declared.graphql) } : {}),
    };
  });
}

/** What a route that is free takes, where its body decides. */
function freeOf({ mutations }: GraphqlTerms): string {
  const listed = mutations.length === 0 ? "no mutation" : `of mutations ${mutations.join(", ")}`;
  return `free are queries, and ${listed}; any other is cost_unknown`;
}

export function routesOf({ route }: DeclaredOperation): readonly string[] {
  return typeof route === "string" ? [route] : route;
}

function kindOf({ kind, class: opClass }: DeclaredOperation, route: string): MoneyKind {
  if (kind !== undefined) return kind;
  if (opClass === "priced") return "other";
  const method = METHODS.find((each) => route.startsWith(`${each} `));
  return method !== undefined && isRead(method) ? "read" : "write";
}
