import { expect, test } from "bun:test";
import { peerOf } from "../../src/api/peer.ts";

const ROWS: readonly (readonly [
  behindTlsProxy: boolean,
  forwarded: string | undefined,
  socket: string | undefined,
  peer: string | undefined,
])[] = [
  [false, "203.0.113.9", "10.0.0.1", "10.0.0.1"],
  [false, undefined, undefined, undefined],
  [true, undefined, "10.0.0.1", "10.0.0.1"],
  [true, "198.51.100.7", "127.0.0.1", "198.51.100.7"],
  [true, "1.1.1.1, 198.51.100.7", "127.0.0.1", "198.51.100.7"],
  [true, "198.51.100.7, nonsense", "127.0.0.1", "127.0.0.1"],
  [true, "", "127.0.0.1", "127.0.0.1"],
  [true, "2001:db8::1", "::1", "2001:db8::1"],
  [true, "[2001:db8::1]:443", "::1", "2001:db8::1"],
  [true, "198.51.100.7", "8.8.8.8", "8.8.8.8"],
];

test.each(ROWS)(
  "behind a TLS proxy: %p, X-Forwarded-For %p from %p is %p",
  (behindTlsProxy, forwarded, socket, peer) => {
    const headers = new Headers(forwarded === undefined ? {} : { "x-forwarded-for": forwarded });
    expect(peerOf({ behindTlsProxy }, { headers }, socket)).toBe(peer);
  },
);
