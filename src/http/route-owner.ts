import type { NonEmpty } from '../core/units';
import type { Dialect } from './dialect';

/**
 * The dialect in whose words an error on this path is answered: the one that declares exactly this
 * path, else the first that says it owns it, else the last of the list.
 */
export function ownerOf(dialects: NonEmpty<Dialect>, path: string): Dialect {
  const declares = (dialect: Dialect): boolean =>
    dialect.routes.some((route) => route.path === path);
  const owner = dialects.find(declares) ?? dialects.find((dialect) => dialect.owns(path));
  return owner ?? dialects.at(-1) ?? dialects[0];
}
