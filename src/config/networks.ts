import { isIP } from 'node:net';
import * as ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** One CIDR block; IPv4-mapped IPv6 is kept as IPv4. */
export interface Network {
  readonly address: Address;
  readonly prefixLength: number;
}

/** A CIDR block (`10.0.0.0/8`, `fd00::/8`) or a single address; undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...more] = text.trim().split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefixLength = prefix === undefined ? bits : Number(prefix);
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return undefined;
  if (prefixLength > bits) return undefined;
  return unmapped(ipaddr.parse(address), prefixLength);
}

/**
 * Blocks that were checked when the settings were read.
 * @throws {Error} when one is not a CIDR block
 */
export function parseNetworks(blocks: readonly string[]): Network[] {
  return blocks.map((block) => {
    const parsed = parseNetwork(block);
    if (parsed === undefined) throw new Error(`${block} is not a CIDR block`);
    return parsed;
  });
}

/** True when the address lies in one of the blocks; false for what is not an address. */
export function inNetworks(address: string, networks: readonly Network[]): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined) return false;
  return networks.some(
    (network) =>
      network.address.kind() === parsed.kind() &&
      parsed.match(network.address, network.prefixLength),
  );
}

/** True for an address of this machine alone: 127.0.0.0/8, ::1, and 127.0.0.0/8 mapped into IPv6. */
export function isLoopback(address: string): boolean {
  return parseAddress(address)?.range() === 'loopback';
}

/** One spelling per address, IPv4 within IPv6 as IPv4; what is not an address is left as it is. */
export function canonicalAddress(address: string): string {
  return parseAddress(address)?.toString() ?? address;
}

/** True for `0.0.0.0` and `::`, however they are written: they name every address, and none to call. */
export function isUnspecified(address: string): boolean {
  return parseAddress(address)?.range() === 'unspecified';
}

function parseAddress(address: string): Address | undefined {
  return isIP(address) === 0 ? undefined : ipaddr.process(address);
}

/** `::ffff:10.0.0.0/104` is `10.0.0.0/8`: clients are compared after the same unmapping. */
function unmapped(address: Address, prefixLength: number): Network {
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && prefixLength >= 96) {
    return { address: address.toIPv4Address(), prefixLength: prefixLength - 96 };
  }
  return { address, prefixLength };
}
