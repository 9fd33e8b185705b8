import { expect, test } from "bun:test";
import { openPool } from "../../src/store/postgres/pool.ts";

const DATABASE = "postgres://keybrake:pass-word@127.0.0.1:1/keybrake";

test.each(["0", "61", "-1", "1.5", "soon", ""])("a connect_timeout of %p is refused by its range", (text) => {
  expect(() => openPool(`${DATABASE}?connect_timeout=${text}`, 1)).toThrow("is not from 1 to 60 seconds");
});

test("what is no URL of PostgreSQL is refused without a word of it", () => {
  const refusal = () => openPool("mysql://u:pass-word@h/d", 1);
  expect(refusal).toThrow("no PostgreSQL URL");
  expect(refusal).not.toThrow("pass-word");
});

test("a sslmode that there is not is named with those that there are", () => {
  expect(() => openPool(`${DATABASE}?sslmode=maybe`, 1)).toThrow("disable, allow, prefer");
});
