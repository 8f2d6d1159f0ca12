import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { canonicalAddress, isLoopback } from '../config/networks';

/** A port of ours that nobody may name as a worker or another service to call. */
export interface OwnEndpoint {
  /** In the words of a refusal: `this scheduler`. */
  readonly what: string;
  readonly port: number;
  /** Its addresses, or all of this machine. */
  readonly addresses: readonly string[] | 'this machine';
}

/** Injection token of the endpoints of this process: `readonly OwnEndpoint[]`. */
export const OWN_ENDPOINTS = Symbol('OwnEndpoints');

/** A resolver that hangs must not hold up a term; the port is then guarded on this machine only. */
const RESOLVE_MS = 1_000;
const POSTGRES_PORT = 5432;

/**
 * Where this process and its database listen.
 *
 * @param port where this process listens
 * @param databaseUrl its host is resolved now; a socket file has no port to guard
 */
export async function ownEndpoints(port: number, databaseUrl: string): Promise<OwnEndpoint[]> {
  const scheduler: OwnEndpoint = { what: 'this scheduler', port, addresses: 'this machine' };
  const { hostname, port: databasePort } = new URL(databaseUrl);
  const host = decodeURIComponent(hostname).replace(/^\[|\]$/g, '');
  if (host === '' || host.startsWith('/')) return [scheduler];
  const found = await addressesOf(host);
  const database: OwnEndpoint = {
    what: 'the database',
    port: databasePort === '' ? POSTGRES_PORT : Number(databasePort),
    addresses: found.some(isOnThisMachine) ? 'this machine' : found,
  };
  return [scheduler, database];
}

/** What of ours is at that address and port, in words; undefined when nothing is. */
export function ownServiceAt(
  address: string,
  port: number,
  endpoints: readonly OwnEndpoint[],
): string | undefined {
  const isAt = ({ addresses }: OwnEndpoint): boolean =>
    addresses === 'this machine' ? isOnThisMachine(address) : includes(addresses, address);
  return endpoints.find((endpoint) => endpoint.port === port && isAt(endpoint))?.what;
}

/** True for loopback and the addresses of this machine's interfaces. */
export function isOnThisMachine(address: string): boolean {
  if (isLoopback(address)) return true;
  // Asked for anew: interfaces come and go, and few calls go to a port of ours.
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return includes(
    own.map((each) => each.address),
    address,
  );
}

function includes(addresses: readonly string[], address: string): boolean {
  const wanted = canonicalAddress(address);
  return addresses.some((each) => canonicalAddress(each) === wanted);
}

async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const patience = AbortSignal.timeout(RESOLVE_MS);
  const late = new Promise<never>((_, reject) => {
    patience.addEventListener('abort', () => reject(new Error(`${host} does not resolve`)));
  });
  try {
    const found = await Promise.race([lookup(host, { all: true }), late]);
    return found.map(({ address }) => address);
  } catch {
    return [];
  }
}
