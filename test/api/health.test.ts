import { afterEach, beforeEach, expect, test } from "bun:test";
import { Problem } from "../../src/core/problem.ts";
import { type Served, serve } from "./served.ts";

let served: Served;

beforeEach(async () => {
  served = await serve();
});
afterEach(() => served.close());

test("lives also when the store does not", async () => {
  Object.assign(served.store, { probeWrite: () => Promise.reject(new Problem("unavailable", "the disk is full")) });
  expect((await served.call("GET", "/healthz", { token: null })).json).toEqual<object>({ status: "ok" });
  const ready = await served.call("GET", "/readyz", { token: null });
  expect(ready).toMatchObject({ status: 503, json: { error: { code: "unavailable", message: "the disk is full" } } });
});

test("is ready when a write reaches the disk, and comes back by itself", async () => {
  const probeWrite = served.store.probeWrite.bind(served.store);
  Object.assign(served.store, { probeWrite: () => Promise.reject(new Problem("unavailable", "the disk is full")) });
  expect((await served.call("GET", "/readyz")).status).toBe(503);
  Object.assign(served.store, { probeWrite });
  served.clock.nowMs += 1000;
  expect((await served.call("GET", "/readyz")).json).toEqual<object>({ status: "ready" });
});

test("is asked a thousand times and writes once a second", async () => {
  let writes = 0;
  Object.assign(served.store, { probeWrite: async () => void writes++ });
  for (let i = 0; i < 1000; i++) await served.call("GET", "/readyz", { token: null });
  expect(writes).toBe(1);
});
