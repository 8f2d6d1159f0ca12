import { isOurs } from './setting-names';
import type { Environment } from './load-config';

/** The environment of this process for one that is to have none of our settings. */
export function childEnvironment(env: Environment = process.env): Record<string, string> {
  const kept = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    value === undefined || isOurs(name) ? [] : [[name, value]],
  );
  return Object.fromEntries(kept);
}
