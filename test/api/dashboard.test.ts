import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { type Served, serve } from "./served.ts";

let served: Served;

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

const ask = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  served.fetchRaw("GET", path, { token: null, headers });

async function assets(): Promise<readonly string[]> {
  const page = await (await ask("/dashboard/")).text();
  return [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name!);
}

test("a browser at the root is led to the page, and a program is told the name and version as before", async () => {
  const led = await ask("/", { accept: "text/html,application/xhtml+xml,*/*;q=0.8" });
  expect([led.status, led.headers.get("location")]).toEqual([302, "dashboard/"]);
  expect((await served.call("GET", "/", { token: null })).json).toMatchObject({ name: "keybrake", docs: "/docs" });
  expect((await ask("/dashboard")).headers.get("location")).toBe("dashboard/");
});

test("the page and its files need no token, name nothing outside, and have nothing inline", async () => {
  const page = await (await ask("/dashboard/")).text();
  const names = await assets();
  expect(names.length).toBeGreaterThanOrEqual(3);
  for (const name of names) {
    expect(name).toMatch(/^[a-z-]+-[a-z0-9]+\.(?:js|css|svg)$/);
    const file = await ask(`/dashboard/${name}`);
    expect([name, file.status, file.headers.get("x-content-type-options")]).toEqual([name, 200, "nosniff"]);
    expect(file.headers.get("cache-control")).toContain("immutable");
  }
  expect(page).not.toMatch(/<style|\son[a-z]+=|<script(?![^>]*\ssrc=)|style="/);
});

test("nothing but the page's own files may run, and nobody may frame it", async () => {
  const { headers } = await ask("/dashboard/");
  const policy = headers.get("content-security-policy")!;
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*|data:|blob:|https?:/);
  expect(headers.get("x-frame-options")).toBe("DENY");
  expect(headers.get("referrer-policy")).toBe("no-referrer");
});

describe("a file", () => {
  test("that the browser has is not sent again", async () => {
    const [name] = await assets();
    for (const path of ["/dashboard/", `/dashboard/${name}`]) {
      const etag = (await ask(path)).headers.get("etag")!;
      const again = await ask(path, { "if-none-match": etag });
      expect([again.status, await again.text()]).toEqual([304, ""]);
      expect((await ask(path, { "if-none-match": '"another"' })).status).toBe(200);
    }
  });

  test("comes packed where that is understood, and is the same", async () => {
    const script = (await assets()).find((name) => name.endsWith(".js"))!;
    const plain = await (await ask(`/dashboard/${script}`)).text();
    const packed = await ask(`/dashboard/${script}`, { "accept-encoding": "gzip, br" });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    const bytes = await packed.bytes();
    expect(bytes.length).toBeLessThan(plain.length / 2);
    expect(gunzipSync(bytes).toString()).toBe(plain);
  });

  test("that there is not is not found, and no other file of the machine is reached", async () => {
    for (const name of ["x.js", "..%2f..%2fetc%2fpasswd", "%2e%2e%2fx", "__proto__", "index.html"]) {
      expect([name, (await ask(`/dashboard/${name}`)).status]).toEqual([name, 404]);
    }
  });
});
