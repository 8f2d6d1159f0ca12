import { inNetworks, type Network } from '../config/networks';
import type { OwnEndpoint } from '../ops/own-endpoints';
import type { AddressRule } from '../outgoing/outgoing-address';
import { ownAddressRule } from '../outgoing/own-address-rule';

/**
 * The rule of this scheduler on where workers may be: never where it listens itself, nor where its
 * database does, and in one of the networks when any is named.
 */
export function addressRule(
  networks: readonly Network[],
  own: readonly OwnEndpoint[],
): AddressRule {
  const ownRule = ownAddressRule(own);
  return (address, port) => {
    const fault = ownRule(address, port);
    if (fault !== undefined) return fault;
    if (networks.length === 0 || inNetworks(address, networks)) return undefined;
    return `${address} is in none of FORESAIL_WORKER_NETWORKS`;
  };
}
