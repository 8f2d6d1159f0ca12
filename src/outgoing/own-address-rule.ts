import { ownServiceAt, type OwnEndpoint } from '../ops/own-endpoints';
import type { AddressRule } from './outgoing-address';

/** Refuses where this scheduler or its database listens. */
export function ownAddressRule(own: readonly OwnEndpoint[]): AddressRule {
  return (address, port) => {
    const service = ownServiceAt(address, port, own);
    return service && `${service} listens at ${address} port ${port}`;
  };
}
