import { hostname, networkInterfaces } from 'node:os';
import { isLoopback } from '../config/networks';
import { originOf, type Endpoint } from '../outgoing/outgoing-address';

/** Where a predictor is reached. */
export interface PredictorAddress {
  readonly endpoint: Endpoint;
  /** In front of `/predict`: empty, or with a slash at its beginning and none at its end. */
  readonly basePath: string;
}

const EVERYWHERE: readonly string[] = ['0.0.0.0', '::'];

/**
 * Reads the URL of a predictor, base path included (`http://scheduler:8102/predictor`).
 * @throws {Error} in one sentence, when nothing can or may be sent there
 */
export function predictorAddress(url: string): PredictorAddress {
  const fail = (fault: string): never => {
    throw new Error(`predictor URL ${JSON.stringify(url.slice(0, 200))}: ${fault}`);
  };
  if (!URL.canParse(url)) return fail('is not a URL');
  const {
    protocol,
    hostname: name,
    port,
    pathname,
    search,
    hash,
    username,
    password,
  } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return fail('must begin with http or https');
  if (username !== '' || password !== '') return fail('must not carry a user or password');
  if (search !== '' || hash !== '') return fail('must not carry a query or fragment');
  const scheme = protocol === 'http:' ? 'http' : 'https';
  const usualPort = scheme === 'http' ? 80 : 443;
  const host = name.replace(/^\[|\]$/g, '');
  const endpoint = { host, port: port === '' ? usualPort : Number(port), scheme } as const;
  const origin = originOf(endpoint);
  if (origin.kind === 'refused') return fail(origin.reason);
  return { endpoint, basePath: pathname.replace(/\/+$/, '') };
}

/**
 * Refuses a predictor that is this very process. Other names of it are not known here: a question
 * that comes back to the one who asked is answered without asking again (`RemoteSource`).
 * @param bound where this process listens
 * @throws {Error} in one sentence
 */
export function assertOtherService(
  { endpoint }: PredictorAddress,
  bound: { readonly host: string; readonly port: number },
): void {
  if (endpoint.port !== bound.port || !isReachedAt(endpoint.host, bound.host)) return;
  const where = `${endpoint.host}:${endpoint.port}`;
  throw new Error(`FORESAIL_PREDICTOR_URL leads to this service itself (${where}): leave it out`);
}

/** True when a connection to `host` ends at a socket that is bound to `bound` on this machine. */
function isReachedAt(host: string, bound: string): boolean {
  const everywhere = EVERYWHERE.includes(bound);
  if (host === bound) return true;
  if (isLocal(host)) return everywhere || isLocal(bound);
  return everywhere && ownNames().includes(host);
}

function isLocal(host: string): boolean {
  return host === 'localhost' || isLoopback(host);
}

function ownNames(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return [hostname().toLowerCase(), ...addresses.map(({ address }) => address)];
}
