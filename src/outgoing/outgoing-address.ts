import type * as dns from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * Addresses that no service can have: nothing of ours is to be sent there. The last three are
 * metadata services of clouds that are not at a link-local address.
 */
const REFUSED = blockListOf([
  ['unspecified', '0.0.0.0/8', '::/128'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['broadcast', '255.255.255.255/32'],
  ['metadata service', '100.100.100.200/32', '192.0.0.192/32', 'fd00:ec2::254/128'],
]);
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})$/;

/** Where a service listens. */
export interface Endpoint {
  /** A bare name or an address literal. */
  readonly host: string;
  readonly port: number;
  /** Default `http`. */
  readonly scheme?: 'http' | 'https';
}

/** The URL of an endpoint, or why nothing may be sent there. */
export type Origin =
  | { readonly kind: 'allowed'; readonly url: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** Why calls may not go to that address and port; undefined when they may. */
export type AddressRule = (address: string, port: number) => string | undefined;

/** Refuses nothing beyond what is refused everywhere. */
export const ANY_ADDRESS: AddressRule = () => undefined;

/**
/**
 * The origin of an endpoint. Addresses that no service can have (unspecified, link-local, metadata
 * services, multicast) are refused, and what the rule refuses.
 */
export function originOf(
  { host, port, scheme = 'http' }: Endpoint,
  rule: AddressRule = ANY_ADDRESS,
): Origin {
  const isLiteral = isIP(host) !== 0;
  const url = `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  if (!(isLiteral || HOST_NAME.test(host)) || !URL.canParse(url)) {
    const shown = JSON.stringify(host.slice(0, 80));
    return refused(`${shown} is neither a host name nor an address`);
  }
  // The URL parser turns other spellings of an IPv4 address (2130706433, 0x7f.1) into the usual one.
  const address = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const reason = addressFault(address) ?? (isIP(address) === 0 ? undefined : rule(address, port));
  return reason === undefined ? { kind: 'allowed', url } : refused(reason);
}

/** Why nothing may be sent to this address; undefined when it may, or when it is a name. */
export function addressFault(address: string): string | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  const found = REFUSED.find(({ list }) => list.check(address, familyOf(version)));
  return found && `${address} is not an address that a service can have (${found.name})`;
}

/** How names are resolved, as by `dns.lookup`: with an error there are no addresses. */
export type ResolveAll = (
  hostname: string,
  options: dns.LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void,
) => void;

/**
 * A lookup for sockets that fails when any address of the name is refused. The socket connects to
 * the very addresses that were checked, so that a name cannot change its mind in between.
 *
 * @param refusal why nothing may be sent to an address; undefined when it may
 */
export function checkedLookup(
  resolve: ResolveAll,
  refusal: (address: string) => string | undefined = addressFault,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, '');
        return;
      }
      const fault = addressesFault(hostname, addresses, refusal);
      const first = addresses[0];
      if (fault !== undefined || first === undefined) callback(fault ?? unknownName(hostname), '');
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function addressesFault(
  hostname: string,
  addresses: dns.LookupAddress[],
  refusal: (address: string) => string | undefined,
): Error | undefined {
  for (const { address } of addresses) {
    const fault = refusal(address);
    if (fault !== undefined) return new Error(`${hostname}: ${fault}`);
  }
  return undefined;
}

function unknownName(hostname: string): Error {
  return new Error(`${hostname} has no address`);
}

function refused(reason: string): Origin {
  return { kind: 'refused', reason };
}

/** An IPv4 address is found in its IPv6 spelling too. */
function blockListOf(
  ranges: readonly (readonly [name: string, ...blocks: string[]])[],
): readonly { readonly name: string; readonly list: BlockList }[] {
  return ranges.map(([name, ...blocks]) => {
    const list = new BlockList();
    for (const block of blocks) {
      const [address = '', prefix] = block.split('/');
      list.addSubnet(address, Number(prefix), familyOf(isIP(address)));
    }
    return { name, list };
  });
}

function familyOf(version: number): 'ipv4' | 'ipv6' {
  return version === 6 ? 'ipv6' : 'ipv4';
}
