import { hostname } from 'node:os';
import { ConfigError } from '../config/config-error';
import { isOnThisMachine } from '../ops/own-endpoints';
import { predictorAddress } from './predictor-address';

/**
 * Refuses a setting at which no other predictor can be: this very process is none. Other names of
 * it are refused when they are called; a question that comes back is not asked again.
 * @param port where this process listens
 * @throws {ConfigError}
 */
export function checkPredictor(url: string, port: number): void {
  const msg = faultOf(url, port);
  if (msg === undefined) return;
  throw new ConfigError([{ name: 'FORESAIL_PREDICTOR_URL', where: 'start', msg }]);
}

function faultOf(url: string, port: number): string | undefined {
  try {
    const { endpoint } = predictorAddress(url);
    if (endpoint.port !== port || !leadsHere(endpoint.host)) return undefined;
    return `${endpoint.host}:${port} leads to this service itself; leave it out`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function leadsHere(host: string): boolean {
  const names = ['localhost', hostname().toLowerCase()];
  return names.includes(host) || isOnThisMachine(host);
}
