import { expect, test } from "bun:test";
import { Problem } from "../../src/core/problem.ts";
import { checkOrigin } from "../../src/operate/vendor-origin.ts";

const TAKEN = [
  ["https://api.example.com", false, "https://api.example.com"],
  ["https://api.example.com/", false, "https://api.example.com"],
  ["HTTPS://API.Example.com:8443", false, "https://api.example.com:8443"],
  ["https://api.example.com:443", false, "https://api.example.com"],
  ["https://8.8.8.8", false, "https://8.8.8.8"],
  ["https://[2606:4700::1111]:8443", false, "https://[2606:4700::1111]:8443"],
  ["http://127.0.0.1:12111", true, "http://127.0.0.1:12111"],
  ["http://localhost:12111", true, "http://localhost:12111"],
  ["http://[::1]:12111", true, "http://[::1]:12111"],
  ["https://stripe.internal", true, "https://stripe.internal"],
  ["http://api.example.com", true, "http://api.example.com"],
] as const;

test.each(TAKEN)("takes %s (private: %p) as %s", (text, isPrivate, origin) => {
  expect(checkOrigin(text, isPrivate)).toBe(origin);
});

/** Refused whether private or not. */
const NEVER = [
  ["no scheme", "api.example.com"],
  ["another scheme", "ftp://api.example.com"],
  ["a file", "file:///etc/passwd"],
  ["a user", "https://user@api.example.com"],
  ["a user and password", "https://user:pass@api.example.com"],
  ["an empty user", "https://@api.example.com"],
  ["a path", "https://api.example.com/v1"],
  ["a query", "https://api.example.com?x=1"],
  ["an empty query", "https://api.example.com?"],
  ["a fragment", "https://api.example.com#x"],
  ["a backslash", "https://api.example.com\\@evil.example"],
  ["a tab within", "https://api.exa\tmple.com"],
  ["a line break at the end", "https://api.example.com\n"],
  ["a space", "https://api.example.com "],
  ["no host", "https://"],
  ["a port that is none", "https://api.example.com:99999"],
  ["a broken address", "https://[::1"],
] as const;

test.each(NEVER)("refuses %s, private or not", (_what, text) => {
  for (const isPrivate of [false, true]) expect(() => checkOrigin(text, isPrivate)).toThrow(Problem);
});

/** Refused unless the operator says that it is meant. */
const ONLY_PRIVATE = [
  ["http", "http://api.example.com"],
  ["localhost", "https://localhost"],
  ["localhost with a dot", "https://localhost."],
  ["a name below localhost", "https://a.localhost"],
  ["a cloud's metadata server", "https://metadata.google.internal"],
  ["mDNS", "https://printer.local"],
  ["loopback", "https://127.0.0.1"],
  ["loopback in short", "https://127.1"],
  ["loopback as one number", "https://2130706433"],
  ["loopback in hexadecimal", "https://0x7f.0.0.1"],
  ["loopback in octal", "https://0177.0.0.1"],
  ["loopback in full-width digits", "https://１２７.0.0.1"],
  ["private", "https://10.0.0.1"],
  ["link-local", "https://169.254.169.254"],
  ["CGNAT", "https://100.64.0.1"],
  ["IPv6 loopback", "https://[::1]"],
  ["mapped loopback", "https://[::ffff:127.0.0.1]"],
  ["NAT64", "https://[64:ff9b::10.0.0.1]"],
  ["6to4", "https://[2002:a00:1::]"],
  ["unspecified", "https://0.0.0.0"],
] as const;

test.each(ONLY_PRIVATE)("refuses %s unless it is private", (_what, text) => {
  expect(() => checkOrigin(text, false)).toThrow(Problem);
  expect(checkOrigin(text, true)).toStartWith("http");
});
