import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { Secret } from "../core/secret.ts";
import {
  OperationsAnswer,
  PricesAnswer,
  RemovedVendorAnswer,
  VendorAnswer,
  VendorsAnswer,
  VendorTestAnswer,
} from "./answers/operators.ts";
import { described } from "./described.ts";
import { flag, given, query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const tag = "Vendors";
const VendorName = Type.Object({ name: Type.String({ description: "The vendor's name." }) });

/** `writeOnly` keeps the value out of every message about this body. */
const SecretBody = Type.Object(
  {
    secret: Type.Optional(
      Type.String({
        description: "The vendor's real API key. Left out, the one that is there stays.",
        writeOnly: true,
      }),
    ),
    account_id: Type.Optional(Type.String({ description: "Twilio's account SID." })),
    username: Type.Optional(Type.String({ description: "Twilio: the SID of the API key that the secret belongs to." })),
    origin: Type.Optional(
      Type.Union([Type.String(), Type.Null()], {
        description: "https://host where the vendor is, in place of its own; null puts its own back.",
        "x-allowed": "text or null",
      }),
    ),
    private: Type.Optional(Type.Boolean({ description: "Allow http and private addresses: for test doubles." })),
  },
  { title: "SetVendor", additionalProperties: false, examples: [{ secret: "sk_live_of-your-own" }] },
);

/** Names and health of the vendors; a secret goes in and never comes out. */
export function vendorController(setting: ApiSetting) {
  const { control } = setting;
  return new Elysia(ELYSIA)
    .get("/vendors", async () => ({ vendors: await control.listVendors() }), {
      query: query({}),
      detail: described({
        id: "listVendors",
        summary: "The vendors, which are set up, and how their newest calls went",
        tag,
        answer: VendorsAnswer,
      }),
    })
    .put(
      "/vendors/:name/secret",
      ({ params, body }) => {
        const { secret, account_id, username, origin } = body;
        const sealed = secret === undefined ? undefined : new Secret(secret);
        return control.setVendor(
          params.name,
          given({ secret: sealed, account_id, username, origin, private: body.private }),
        );
      },
      {
        parse: "json",
        params: VendorName,
        body: SecretBody,
        detail: described({
          id: "setVendor",
          summary: "Set or rotate a vendor's secret; vault keys keep working",
          tag,
          answer: VendorAnswer,
          fails: [404, 409],
        }),
      },
    )
    .delete("/vendors/:name/secret", ({ params }) => control.removeVendor(params.name), {
      params: VendorName,
      query: query({}),
      detail: described({
        id: "removeVendor",
        summary: "Forget a vendor's secret; its calls are refused from then on",
        tag,
        answer: RemovedVendorAnswer,
        fails: [404],
      }),
    })
    .use(knowledgeController(setting))
    .post("/vendors/:name/test", ({ params }) => control.testVendor(params.name), {
      params: VendorName,
      query: query({}),
      detail: described({
        id: "testVendor",
        summary: "Try a vendor's secret with one cheap read",
        tag,
        answer: VendorTestAnswer,
        fails: [404],
      }),
    });
}

/** What Keybrake knows of a vendor's API, and what it reckons with. */
function knowledgeController({ control }: ApiSetting) {
  return new Elysia(ELYSIA)
    .get(
      "/vendors/:name/operations",
      async ({ params }) => ({ operations: await control.vendorOperations(params.name) }),
      {
        params: VendorName,
        query: query({}),
        detail: described({
          id: "listOperations",
          summary: "A vendor's operations: priced, look-up, free or closed",
          tag,
          answer: OperationsAnswer,
          fails: [404],
        }),
      },
    )
    .get(
      "/vendors/:name/prices",
      async ({ params, query: { all } }) => ({ prices: await control.vendorPrices(params.name, all === "true") }),
      {
        params: VendorName,
        query: query({ all: flag("true: tables by number line by line.") }),
        detail: described({
          id: "listPrices",
          summary: "A vendor's prices that keybrake.yaml can set, and the figures in force",
          tag,
          answer: PricesAnswer,
          fails: [404],
        }),
      },
    );
}
