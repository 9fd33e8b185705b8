/** A block of addresses: the first ones of its bits, and how many of them count. */
interface Block {
  readonly bits: bigint;
  readonly prefix: number;
}

/**
 * IPv4 that is not the public internet (IANA special-purpose registry, RFC 6890), and one address of it that is a cloud's
 * inside all the same: 168.63.129.16 is Azure's WireServer. 169.254/16 has the metadata services.
 */
const INTERNAL_IPV4: readonly Block[] = (
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 " +
  "192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
)
  .split(" ")
  .map((text) => block(text, ipv4Bits));

/** Global unicast: everything else (loopback, link-local, unique local, NAT64, multicast) is not the public internet. */
const GLOBAL_IPV6: Block = block("2000::/3", ipv6Bits);
/** Inside it: protocol assignments with Teredo, documentation, and 6to4, which carries an IPv4 address to reach. */
const INTERNAL_IPV6: readonly Block[] = "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
  .split(" ")
  .map((text) => block(text, ipv6Bits));
/** IPv4 in IPv6's clothes (RFC 4291 §2.5.5.2): the connection goes to the IPv4 address. */
const MAPPED_IPV6: Block = block("::ffff:0:0/96", ipv6Bits);

/**
 * Whether `ip` (the text of an address, not a name) is on the public internet. False for loopback, private, link-local,
 * CGNAT, NAT64, 6to4, metadata and reserved addresses, and for whatever is no address.
 */
export function isPublicAddress(ip: string): boolean {
  const ipv4 = ipv4Bits(ip);
  if (ipv4 !== undefined) return isPublicIpv4(ipv4);
  const ipv6 = ipv6Bits(ip);
  if (ipv6 === undefined) return false;
  if (isWithin(ipv6, MAPPED_IPV6, 128)) return isPublicIpv4(ipv6 & 0xffff_ffffn);
  return isWithin(ipv6, GLOBAL_IPV6, 128) && !INTERNAL_IPV6.some((internal) => isWithin(ipv6, internal, 128));
}

/** Whether `host` is an address and not a name; IPv6 without brackets. */
export function isAddress(host: string): boolean {
  return ipv4Bits(host) !== undefined || ipv6Bits(host) !== undefined;
}

/**
 * Who is one client for limits: an IPv4 address, in IPv6's clothes too, or the first 64 bits of an IPv6 address, of which
 * one customer has all. A zone counts for nothing; what is no address is itself.
 */
export function networkOf(ip: string): string {
  const bits = ipv6Bits(ip.split("%", 1)[0]!);
  if (bits === undefined) return ip;
  if (isWithin(bits, MAPPED_IPV6, 128)) {
    return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join(".");
  }
  return `${(bits >> 64n).toString(16)}/64`;
}

function isPublicIpv4(bits: bigint): boolean {
  return !INTERNAL_IPV4.some((internal) => isWithin(bits, internal, 32));
}

function isWithin(bits: bigint, { bits: first, prefix }: Block, width: number): boolean {
  const rest = BigInt(width - prefix);
  return bits >> rest === first >> rest;
}

function block(text: string, read: (address: string) => bigint | undefined): Block {
  const [address, prefix] = text.split("/") as [string, string];
  return { bits: read(address)!, prefix: Number(prefix) };
}

/** Four decimal numbers; a leading zero is no address, because some readers take it for octal. */
function ipv4Bits(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return bits;
}

/** Eight groups, `::` once for a run of zeros, an IPv4 address for the last two (RFC 4291 §2.2). No zone. */
function ipv6Bits(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => groups(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => 0n), ...(tail ?? [])];
  return all.reduce((bits, group) => (bits << 16n) | group, 0n);
}

/** The groups of one side of `::`; undefined where one is none. Only the last side may end with an IPv4 address. */
function groups(text: string, isLast: boolean): bigint[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const ipv4 = isLast && parts.at(-1)!.includes(".") ? ipv4Bits(parts.pop()!) : undefined;
  if (!parts.every((part) => /^[0-9A-Fa-f]{1,4}$/.test(part))) return undefined;
  const read = parts.map((part) => BigInt(`0x${part}`));
  return ipv4 === undefined ? read : [...read, ipv4 >> 16n, ipv4 & 0xffffn];
}
