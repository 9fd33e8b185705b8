import { expect, test } from "bun:test";
import { BodyMemory } from "../../src/proxy/body-memory.ts";

test("gives out no more than there is, and again what has been freed", () => {
  const memory = new BodyMemory(100);
  const free = memory.reserve(60);
  expect(free).toBeDefined();
  expect(memory.reserve(41)).toBeUndefined();
  expect(memory.reserve(40)).toBeDefined();
  free!();
  expect(memory.reserve(60)).toBeDefined();
});
