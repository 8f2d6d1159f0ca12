import { lookup } from 'node:dns/promises';
import { isLoopback } from '../config/networks';
import { isOnThisMachine } from '../ops/own-endpoints';
import { CommandFailure, EXIT } from './exit';

/**
 * Refuses to announce a loopback address to a scheduler on another machine: it would call itself,
 * and at worst find another worker there. A scheduler whose name does not resolve yet is believed.
 *
 * @throws {CommandFailure} that says which flags to give
 */
export async function assertCallableFrom(schedulerUrl: string, advertise: string): Promise<void> {
  if (advertise !== 'localhost' && !isLoopback(advertise)) return;
  const host = new URL(schedulerUrl).hostname.replace(/^\[|\]$/g, '');
  const addresses = await lookup(host, { all: true }).catch(() => []);
  if (addresses.length === 0 || addresses.some(({ address }) => isOnThisMachine(address))) return;
  throw new CommandFailure(
    EXIT.usage,
    `${schedulerUrl} is another machine and cannot call ${advertise}; say where it can: ` +
      '--host 0.0.0.0 --advertise <address of this machine> --trusted-networks <its network>',
  );
}
