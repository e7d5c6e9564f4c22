import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** Says why nothing may be sent to an address, or null when it may. */
export type AddressCheck = (address: string, port: number) => string | null;

/** Addresses at which clouds tell programs on them their secrets, beside the link-local ones. */
const METADATA = ["100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"];

/** Refuses what no receiver of messages is at: link-local addresses, clouds' metadata, groups of machines, and Fieldwatch itself. */
export function createAddressCheck({
  ownPorts,
  allowed,
}: {
  /** Ports of Fieldwatch on this machine. */
  readonly ownPorts: readonly number[];
  /** Addresses and networks (10.0.0.0/8) that are allowed whatever they are. */
  readonly allowed: readonly string[];
}): AddressCheck {
  const exempt = listOf(allowed);
  const linkLocal = listOf(["169.254.0.0/16", "fe80::/10", ...METADATA]);
  const groups = listOf(["224.0.0.0/4", "255.255.255.255", "ff00::/8"]);
  const loopback = listOf(["127.0.0.0/8", "0.0.0.0/8", "::1", "::"]);

  return (given, port) => {
    const address = plain(given);
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (isIP(address) === 0) return `${given} is no address`;
    if (exempt.check(address, family)) return null;
    if (linkLocal.check(address, family)) return "it is a link-local or metadata address";
    if (groups.check(address, family)) return "it is an address of many machines";
    if (ownPorts.includes(port) && (loopback.check(address, family) || isOwn(address)))
      return "it is Fieldwatch itself";
    return null;
  };
}

function isOwn(address: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address));
}

/** IPv4 addresses in whatever IPv6 wraps them (mapped, translated, 6to4) as the address they lead to; without a zone. */
function plain(address: string): string {
  const [bare = ""] = address.split("%");
  if (isIP(bare) !== 6) return bare;
  const words = wordsOf(bare);
  const v4 = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const isZero = (from: number, to: number) => words.slice(from, to).every((word) => word === 0);
  if (isZero(0, 5) && words[5] === 0xffff) return v4(words[6]!, words[7]!);
  if (isZero(0, 6) && words[6] !== 0) return v4(words[6]!, words[7]!);
  if (words[0] === 0x64 && words[1] === 0xff9b && isZero(2, 6)) return v4(words[6]!, words[7]!);
  if (words[0] === 0x2002) return v4(words[1]!, words[2]!);
  return bare;
}

/** The eight words of an IPv6 address. */
function wordsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : address;
  const [head = "", tail] = text.split("::");
  const read = (part: string) => (part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16)));
  const [first, last] = [read(head), read(tail ?? "")];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
