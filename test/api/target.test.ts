import { expect, test } from "bun:test";
import { targetRejection } from "../../src/api/target.ts";

const TAKEN =
  "/ /vault/keys /vault/keys/vk_1 /vault/keys?label=a%2Fb /vault/keys/%zz /policies/a%20b /docs/ /vendors/a~b?x=//".split(
    " ",
  );
const REFUSED = (
  "//evil.example/vault/keys /vault//keys /vault/../keys /vault/./keys /healthz/../vault/keys /vault/%2e%2e/keys /vault%2fkeys /vault/%5Ckeys " +
  "/vault\\keys /vault/keys#x /vault/keys?a#b http://127.0.0.1/vault/keys * vault/keys /vault/keys/.. /%2E/vault"
).split(" ");

test.each(TAKEN)("%s is read", (target) => {
  expect(targetRejection(target)).toBeUndefined();
});

test.each([...REFUSED, "", "/a b", "/a\tb", "/é"])("%j is not", (target) => {
  expect(targetRejection(target)).toMatchObject({ code: "request_rejected" });
});
