import type { ApiClient } from './api-client';
import type { ClientFlags } from './client-verb';
import { callEach } from './each';
import { Fields } from './fields';
import { instanceColumns } from './instances';

/** A call that is made for each of several instances. */
export interface EachInstanceCall {
  readonly ids: readonly string[];
  /** Columns of the table of instances that are shown. */
  readonly heads: readonly string[];
  /** @param path of the instance, as in `/v1/instances/gpu7` */
  readonly call: (client: ApiClient, path: string) => Promise<unknown>;
}

/**
 * Makes a call for each instance, in order, and prints the instances that came back.
 * @throws {CommandFailure} failed, when some were refused; or what ended it before the last
 */
export function callEachInstance(
  flags: ClientFlags,
  { ids, heads, call }: EachInstanceCall,
): Promise<void> {
  return callEach(flags, {
    ids,
    name: 'instance',
    columns: instanceColumns(Date.now()).filter(({ head }) => heads.includes(head)),
    call: async (client, id) => {
      const path = `/v1/instances/${encodeURIComponent(id)}`;
      return new Fields(await call(client, path), `the instance that ${path} answered`);
    },
  });
}
