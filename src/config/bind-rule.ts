import { ConfigError, shownValue } from './config-error';
import { isLoopback } from './networks';

/** What decides whether the service may listen where it is told to. */
export interface BindRequest {
  readonly host: string;
  readonly trustedNetworks: readonly string[];
  readonly anyKeyExists: boolean;
}

/**
 * Refuses to listen where others can reach a service that nobody needs a key for
 * (RELIABILITY_MODEL, section 10, rule 1). Loopback is always allowed.
 *
 * @throws {ConfigError} that names the command which makes a key
 */
export function assertMayBind({ host, trustedNetworks, anyKeyExists }: BindRequest): void {
  const local = isLoopback(host) || host.toLowerCase() === 'localhost';
  if (local || anyKeyExists || trustedNetworks.length > 0) return;
  const msg =
    `listening on ${shownValue(host)} needs a key, since others can reach it: ` +
    'make one with `npx foresail keys create` (same settings), or name the networks to trust in ' +
    'FORESAIL_TRUSTED_NETWORKS, or listen on 127.0.0.1';
  throw new ConfigError([{ name: 'FORESAIL_HOST', where: 'start', msg }]);
}
