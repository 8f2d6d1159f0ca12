import { inNetworks, type Network } from '../config/networks';
import { ownServiceAt, type OwnEndpoint } from '../ops/own-endpoints';
import type { AddressRule } from '../outgoing/outgoing-address';

/**
 * The rule of this scheduler on where workers may be: never where it listens itself, nor where its
 * database does, and in one of the networks when any is named.
 */
export function addressRule(
  networks: readonly Network[],
  own: readonly OwnEndpoint[],
): AddressRule {
  return (address, port) => {
    const service = ownServiceAt(address, port, own);
    if (service !== undefined) return `${service} listens at ${address} port ${port}`;
    if (networks.length === 0 || inNetworks(address, networks)) return undefined;
    return `${address} is in none of FORESAIL_WORKER_NETWORKS`;
  };
}
