import { expect, test } from "bun:test";
import { readEvent } from "../../src/dashboard/stream.ts";

test("a call is read with the place to go on from", () => {
  expect(readEvent('event: call\ndata: {"id":"call_1","path":"/a: b"}\nid: 2s')).toEqual({
    id: "2s",
    row: { id: "call_1", path: "/a: b" },
  });
});

test.each([
  ["a comment", ": still here", undefined],
  ["the beginning", ": rows as they come\nretry: 2000\nid: a1", "a1"],
  ["a problem", 'event: problem\ndata: {"message":"the store is away"}', undefined],
])("%s is no call", (_, text, id) => {
  expect(readEvent(text)).toEqual({ id, row: undefined });
});
