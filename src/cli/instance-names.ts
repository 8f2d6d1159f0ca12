import { UnreachableError, type ApiClient } from './api-client';
import { fetchList } from './pages';

/** The name of an instance in service; for any other id, the id. */
export type NameOf = (instanceId: string) => string;

/**
 * People know instances by their names. When the scheduler has just gone they get the ids: what was
 * found is worth more than its names.
 */
export async function instanceNames(client: ApiClient): Promise<NameOf> {
  const names = await fetchNames(client);
  return (id) => names.get(id) ?? id;
}

async function fetchNames(client: ApiClient): Promise<ReadonlyMap<string, string>> {
  try {
    const { items } = await fetchList(client, { path: '/v1/instances', name: 'instances' });
    return new Map(items.map((instance) => [instance.text('id'), instance.text('name')]));
  } catch (error) {
    if (error instanceof UnreachableError) return new Map();
    throw error;
  }
}

/** Leaves ids as they are, for programs. */
export const asIs: NameOf = (id) => id;
