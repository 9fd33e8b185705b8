import { expect, test } from "bun:test";
import { isAddress, isPublicAddress } from "../../src/core/address.ts";

const PUBLIC = [
  "8.8.8.8",
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.1",
  "168.63.129.15",
  "169.253.255.255",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.0",
  "192.167.255.255",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2a00:1450:4001:81b::200e",
  "2001:4860:4860:0:0:0:0:8888",
  "::ffff:8.8.8.8",
  "::ffff:808:808",
];

const NOT_PUBLIC = [
  ["unspecified", "0.0.0.0"],
  ["unspecified", "::"],
  ["this network", "0.1.2.3"],
  ["private", "10.0.0.1"],
  ["private", "172.16.0.1"],
  ["private", "172.31.255.255"],
  ["private", "192.168.1.1"],
  ["CGNAT", "100.64.0.1"],
  ["a metadata service in CGNAT", "100.100.100.200"],
  ["loopback", "127.0.0.1"],
  ["loopback", "127.255.255.254"],
  ["loopback", "::1"],
  ["link-local", "169.254.1.1"],
  ["a metadata service", "169.254.169.254"],
  ["a metadata service", "fd00:ec2::254"],
  ["Azure's WireServer", "168.63.129.16"],
  ["IETF assignments", "192.0.0.8"],
  ["documentation", "192.0.2.1"],
  ["documentation", "198.51.100.7"],
  ["documentation", "203.0.113.7"],
  ["documentation", "2001:db8::1"],
  ["documentation", "3fff::1"],
  ["benchmarking", "198.18.0.1"],
  ["6to4 relay", "192.88.99.1"],
  ["multicast", "224.0.0.1"],
  ["reserved", "240.0.0.1"],
  ["broadcast", "255.255.255.255"],
  ["link-local", "fe80::1"],
  ["unique local", "fc00::1"],
  ["unique local", "fdff:ffff::1"],
  ["site-local", "fec0::1"],
  ["multicast", "ff02::1"],
  ["NAT64", "64:ff9b::8.8.8.8"],
  ["local NAT64", "64:ff9b:1::a00:1"],
  ["6to4 of 10.0.0.1", "2002:a00:1::"],
  ["6to4 of a public address", "2002:808:808::1"],
  ["Teredo", "2001:0:4136:e378::1"],
  ["discard", "100::1"],
  ["SRv6", "5f00::1"],
  ["mapped loopback", "::ffff:127.0.0.1"],
  ["mapped private", "::FFFF:a00:1"],
  ["mapped metadata service", "0:0:0:0:0:ffff:169.254.169.254"],
  ["IPv4-compatible", "::8.8.8.8"],
  ["a zone", "fe80::1%eth0"],
  ["a name", "example.com"],
  ["nothing", ""],
  ["octal", "0177.0.0.1"],
  ["one number", "2130706433"],
  ["hexadecimal", "0x7f.0.0.1"],
  ["three numbers", "127.0.1"],
  ["five numbers", "8.8.8.8.8"],
  ["over 255", "8.8.8.256"],
  ["a space", " 8.8.8.8"],
  ["brackets", "[2606:4700::1]"],
  ["two gaps", "2606::1::2"],
  ["nine groups", "2606:1:2:3:4:5:6:7:8"],
  ["seven groups", "2606:1:2:3:4:5:6"],
  ["five digits", "2606:47000::1"],
  ["three colons", "2606:::1"],
  ["IPv4 in the midst", "2606:8.8.8.8::1"],
] as const;

test.each(PUBLIC)("%s is public", (ip) => {
  expect(isPublicAddress(ip)).toBe(true);
});

test.each(NOT_PUBLIC)("%s is not public: %s", (_what, ip) => {
  expect(isPublicAddress(ip)).toBe(false);
});

test("tells addresses from names", () => {
  expect(["10.0.0.1", "::1", "fe80::1"].every(isAddress)).toBe(true);
  expect(["localhost", "10.0.0", "a:b", "example.com", ""].some(isAddress)).toBe(false);
});
