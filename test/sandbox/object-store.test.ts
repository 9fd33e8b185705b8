import { expect, test } from "bun:test";
import { ObjectStore } from "../../src/sandbox/object-store.ts";

const ids = (store: ObjectStore<{ id: string }>) => store.newestFirst().map(({ id }) => id);

test("forgets the oldest object beyond its count", () => {
  const store = new ObjectStore<{ id: string }>(2);
  for (const id of ["a", "b", "c"]) store.put({ id });
  expect(ids(store)).toEqual(["c", "b"]);
  expect(store.get("a")).toBeUndefined();
});

test("forgets the oldest objects beyond its size, also when one grows, and keeps the last one", () => {
  const store = new ObjectStore<{ id: string; text: string }>(100, 100);
  store.put({ id: "a", text: "x".repeat(20) });
  store.put({ id: "b", text: "" });
  expect(ids(store)).toEqual(["b", "a"]);
  store.put({ id: "b", text: "x".repeat(60) });
  expect(ids(store)).toEqual(["b"]);
  store.put({ id: "c", text: "x".repeat(1000) });
  expect(ids(store)).toEqual(["c"]);
});

test("a replaced object keeps its place, and a deleted one is gone once", () => {
  const store = new ObjectStore<{ id: string }>(2);
  for (const id of ["a", "b", "a"]) store.put({ id });
  expect(ids(store)).toEqual(["b", "a"]);
  expect([store.delete("a"), store.delete("a")]).toEqual([true, false]);
  store.put({ id: "c" });
  expect(ids(store)).toEqual(["c", "b"]);
});

test("what was deleted or forgotten frees its room", () => {
  const store = new ObjectStore<{ id: string; text: string }>(100, 100);
  for (let i = 0; i < 10; i++) {
    store.put({ id: "deleted", text: "x".repeat(60) });
    store.delete("deleted");
  }
  store.put({ id: "a", text: "" });
  store.put({ id: "b", text: "" });
  expect(ids(store)).toEqual(["b", "a"]);
});
