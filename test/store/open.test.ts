import { expect, test } from "bun:test";
import { systemClock } from "../../src/core/clock.ts";
import { openStore, storeFile } from "../../src/store/open.ts";

test.each([
  ["sqlite:", "/data/keybrake.db"],
  ["sqlite:/elsewhere/ledger.db", "/elsewhere/ledger.db"],
  ["postgres://host/keybrake", undefined],
])("the file of the store %s is %p", (url, path) => {
  expect(storeFile(url, "/data")).toBe(path as string);
});

test("a store of another kind is refused by its scheme, and the rest of its address is not told", async () => {
  await expect(openStore("mysql://user:password@host/keybrake", "/data", systemClock)).rejects.toThrow(
    '"mysql:" is not a store that keybrake knows; it knows sqlite: and postgres:',
  );
});
