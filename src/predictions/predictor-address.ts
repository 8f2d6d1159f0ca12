import { shownValue } from '../config/config-error';
import { originOf, type Endpoint } from '../outgoing/outgoing-address';

/** Where a predictor is reached. */
export interface PredictorAddress {
  readonly endpoint: Endpoint;
  /** In front of `/predict`: empty, or with a slash at its beginning and none at its end. */
  readonly basePath: string;
}

/**
 * Reads the URL of a predictor, base path included (`http://scheduler:8102/predictor`).
 * @throws {Error} in one sentence, when nothing can or may be sent there
 */
export function predictorAddress(url: string): PredictorAddress {
  const fail = (fault: string): never => {
    throw new Error(`predictor URL ${shownValue(url)}: ${fault}`);
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
