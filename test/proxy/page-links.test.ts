import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import createClient from "twilio";
import { rewritePageLinks } from "../../src/proxy/page-links.ts";
import { twilio } from "../../src/vendors/twilio.ts";
import { ACCOUNT_SID, startPlane, type TestPlane } from "../harness/plane.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

const BASE = "http://127.0.0.1:7878/twilio";

function rewrite(json: string, ownOrigin?: string): string | undefined {
  const bytes = rewritePageLinks(twilio, BASE, Buffer.from(json), ownOrigin);
  return bytes && Buffer.from(bytes).toString("utf8");
}

const page = (link: string, name = "next_page_url") => `{"meta": {"${name}": "${link}", "page": 0}, "services":[]}`;

describe("links to further pages", () => {
  test.each([
    [
      "https://verify.twilio.com/v2/Services?PageSize=1&Page=1&PageToken=PA1",
      "/verify/v2/Services?PageSize=1&Page=1&PageToken=PA1",
    ],
    ["https://messaging.twilio.com/v1/Services", "/messaging/v1/Services"],
    ["https://flex-api.twilio.com/v1/x?a=%2F&b=%20", "/flex-api/v1/x?a=%2F&b=%20"],
    ["https://api.twilio.com/2010-04-01/Accounts/AC1/Calls.json?Page=1", "/2010-04-01/Accounts/AC1/Calls.json?Page=1"],
    ["https:\\/\\/verify.twilio.com\\/v2\\/Services", "/verify/v2/Services"],
    ["https://verify.twilio.com:443/v2/Services", "/verify/v2/Services"],
  ])("%s lead to the proxy", (link, rest) => {
    for (const name of ["next_page_url", "previous_page_url", "first_page_url"]) {
      expect(rewrite(page(link, name))).toBe(page(`${BASE}${rest}`, name));
    }
  });

  test("lead to the proxy where the operator points the vendor elsewhere", () => {
    const link = "http://127.0.0.1:4302/verify/v2/Services?Page=1";
    expect(rewrite(page(link))).toBeUndefined();
    expect(rewrite(page(link), "http://127.0.0.1:4302")).toBe(page(`${BASE}/verify/v2/Services?Page=1`));
  });

  test.each([
    ["another company's host", page("https://evil.example/v2/Services")],
    ["a host that only begins like the vendor's", page("https://verify.twilio.com.evil.example/v2/Services")],
    ["a host of no product", page("https://nothing.twilio.com/v2/Services")],
    ["plain http", page("http://verify.twilio.com/v2/Services")],
    ["a user in the link", page("https://a:b@verify.twilio.com/v2/Services")],
    ["no link at all", page("/v2/Services")],
    ["the page's own address", page("https://verify.twilio.com/v2/Services", "url")],
    ["a link in another place", `{"services":[${page("https://verify.twilio.com/v2/Services")}]}`],
    ["a link that is null", '{"meta":{"next_page_url":null}}'],
    ["a list", "[1]"],
    ["meta that is a list", '{"meta":["https://verify.twilio.com/v2"]}'],
    ["no JSON", '{"meta":{"next_page_url":"https://verify.twilio.com/v2"'],
    ["nothing", ""],
  ])("stay as they are: %s", (_what, json) => {
    expect(rewrite(json)).toBeUndefined();
  });

  test("are all that changes: spaces, large numbers, escapes and quoted text stay byte for byte", () => {
    const link = "https://verify.twilio.com/v2/Services";
    const around = (to: string) =>
      `{ "n":12345678901234567890, "text":"\\"next_page_url\\": \\"${link}\\" \\u00e9", "a":{"next_page_url":"${link}/2"}, "meta":{"url":"${link}",\n "next_page_url" : "${to}"} }`;
    expect(rewrite(around(link))).toBe(around(`${BASE}/verify/v2/Services`));
  });

  test("stay as they are for a vendor that declares none", () => {
    const { pageLinks: _, ...silent } = twilio;
    expect(rewritePageLinks(silent, BASE, Buffer.from(page("https://verify.twilio.com/v2/Services")))).toBeUndefined();
  });
});

describe("twilio-node", () => {
  let double: VendorDouble;
  let plane: TestPlane;
  beforeAll(async () => {
    double = await startVendorDouble(({ target }) => {
      const number = new URL(target, "http://x").searchParams.get("Page") ?? "0";
      const next = number === "0" ? "https://verify.twilio.com/v2/Services?PageSize=1&Page=1&PageToken=PA1" : null;
      const services = [{ sid: `VA${number.repeat(32)}`, account_sid: ACCOUNT_SID, friendly_name: `page ${number} é` }];
      const body = JSON.stringify({
        services,
        meta: { key: "services", next_page_url: next, url: "https://verify.twilio.com/v2/Services" },
      });
      return { status: 200, body };
    });
    plane = await startPlane({ origins: { twilio: double.origin } });
  });
  afterAll(async () => {
    await plane.stop();
    await double.stop();
  });

  test("reads two pages of Verify services through the proxy, with the vault key and no other host", async () => {
    const { token } = await plane.issue({ vendor: "twilio", allowed_endpoints: ["GET /verify/v2/Services"] });
    const client = createClient(ACCOUNT_SID, token.replaceAll("_", ""));
    client.verify.baseUrl = `${plane.url}/twilio/verify`;
    const services = await client.verify.v2.services.list({ pageSize: 1 });
    expect(services.map(({ friendlyName }) => friendlyName)).toEqual(["page 0 é", "page 1 é"]);
    expect(double.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
      "GET /verify/v2/Services?PageSize=1",
      "GET /verify/v2/Services?PageSize=1&Page=1&PageToken=PA1",
    ]);
  });

  test("gets a page that is longer than what is streamed, whole and with the right length", async () => {
    const { token } = await plane.issue({ vendor: "twilio", allowed_endpoints: ["GET /verify/v2/Services"] });
    const answer = double.answer;
    const filler = "x".repeat(300_000);
    double.answer = () => ({
      status: 200,
      body: JSON.stringify({
        services: [],
        filler,
        meta: { key: "services", next_page_url: "https://verify.twilio.com/v2/Services?Page=1" },
      }),
    });
    const authorization = `Basic ${btoa(`${ACCOUNT_SID}:${token}`)}`;
    const response = await fetch(`${plane.url}/twilio/verify/v2/Services`, { headers: { authorization } });
    const bytes = await response.arrayBuffer();
    double.answer = answer;
    expect(Number(response.headers.get("content-length"))).toBe(bytes.byteLength);
    const { meta } = JSON.parse(Buffer.from(bytes).toString("utf8"));
    expect(meta.next_page_url).toBe(`${plane.url}/twilio/verify/v2/Services?Page=1`);
  });

  test("gets a compressed page as a plain one", async () => {
    const { token } = await plane.issue({ vendor: "twilio", allowed_endpoints: ["GET /verify/v2/Services"] });
    const answer = double.answer;
    const json = JSON.stringify({ meta: { next_page_url: "https://verify.twilio.com/v2/Services?Page=1" } });
    double.answer = () => ({
      status: 200,
      headers: { "content-encoding": "gzip" },
      body: Buffer.from(Bun.gzipSync(json)),
    });
    const authorization = `Basic ${btoa(`${ACCOUNT_SID}:${token}`)}`;
    const response = await fetch(`${plane.url}/twilio/verify/v2/Services`, { headers: { authorization } });
    double.answer = answer;
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(await response.json()).toEqual({ meta: { next_page_url: `${plane.url}/twilio/verify/v2/Services?Page=1` } });
  });
});
