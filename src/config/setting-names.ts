import { SETTINGS } from './config.schema';
import type { Setting } from './setting';

const PREFIX = 'FORESAIL_';
/** Names of ours in the environment that are no settings of the scheduler. */
const OTHER_NAMES = ['FORESAIL_CONFIG', 'FORESAIL_URL', 'FORESAIL_KEY'];

/** All settings by their name in the environment. */
export const SETTINGS_BY_ENV: ReadonlyMap<string, Setting<unknown>> = new Map(
  Object.values(SETTINGS).flatMap((slice) =>
    Object.values<Setting<unknown>>(slice).map((setting): [string, Setting<unknown>] => [
      setting.env,
      setting,
    ]),
  ),
);

/** True for a name in the environment that is ours. */
export function isOurs(name: string): boolean {
  return name.startsWith(PREFIX) || SETTINGS_BY_ENV.has(name);
}

/** True for a name in the environment that looks like ours, but is nobody's. */
export function isUnknownEnv(name: string): boolean {
  return name.startsWith(PREFIX) && !SETTINGS_BY_ENV.has(name) && !OTHER_NAMES.includes(name);
}

/** The setting that a key of the YAML file means: `foresail_port` or `port`; `database_url`. */
export function settingOfYamlKey(key: string): Setting<unknown> | undefined {
  if (key !== key.toLowerCase()) return undefined;
  const name = key.toUpperCase();
  return SETTINGS_BY_ENV.get(name) ?? SETTINGS_BY_ENV.get(PREFIX + name);
}

/** The setting that a flag means, written as commander gives it: `dataDir` for `--data-dir`. */
export function settingOfFlag(flag: string): Setting<unknown> | undefined {
  return settingOfYamlKey(snakeCase(flag));
}

/** `dataDir` as it stands on the command line: `--data-dir`. */
export function flagName(flag: string): string {
  return `--${snakeCase(flag).replaceAll('_', '-')}`;
}

/** "; did you mean X?" when a known name is close to an unknown one, else nothing. */
export function didYouMean(unknown: string): string {
  const names = [...SETTINGS_BY_ENV.keys(), ...OTHER_NAMES];
  const short = names.map((name) => name.replace(PREFIX, ''));
  const candidates = unknown === unknown.toLowerCase() ? [...names, ...short].map(lower) : names;
  const nearest = candidates
    .map((name) => ({ name, edits: editDistance(unknown, name) }))
    .reduce((best, other) => (other.edits < best.edits ? other : best));
  return nearest.edits <= Math.max(2, unknown.length / 4) ? `; did you mean ${nearest.name}?` : '';
}

function lower(name: string): string {
  return name.toLowerCase();
}

function snakeCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Levenshtein: single letters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j += 1) {
      const replaced = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
