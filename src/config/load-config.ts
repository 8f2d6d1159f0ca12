import { dirname, resolve } from 'node:path';
import { COMPANIONS, Config, ORDERED, SETTINGS } from './config.schema';
import { ConfigError, ConfigFault, shownValue } from './config-error';
import { readConfigFile } from './config-file';
import type { Setting } from './setting';
import {
  didYouMean,
  flagName,
  isUnknownEnv,
  settingOfFlag,
  settingOfYamlKey,
  SETTINGS_BY_ENV,
} from './setting-names';

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where settings come from. */
export interface ConfigSources {
  /** Default: the environment of this process. Empty values count as not set. */
  readonly env?: Environment;
  /** The YAML file; default: what `FORESAIL_CONFIG` names, else none. */
  readonly file?: string;
  /** From the command line, in camel case (`dataDir`); undefined counts as not given. */
  readonly flags?: Readonly<Record<string, unknown>>;
}

/** A value as one source gives it, its setting found already. */
interface Given {
  readonly setting: Setting<unknown>;
  readonly value: unknown;
  readonly name: string;
  readonly where: string;
  /** Folder that relative paths start from. */
  readonly base: string;
}

/** Values of one run of `loadConfig`, by environment name, and what was wrong. */
interface Reading {
  readonly values: Map<string, { readonly value: unknown; readonly given: Given }>;
  readonly faults: ConfigFault[];
  readonly faulty: Set<string>;
}

/**
 * Reads all settings once. A flag goes before the environment, the environment before the YAML
 * file, the file before the default. Relative paths start from the working directory, those of the
 * file from its folder. The result is frozen through and through.
 *
 * @throws {ConfigError} that lists every fault: unknown names, wrong values, values that do not go
 *   together, a file that cannot be read
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  return assemble(readAll(sources));
}

/** A setting with the value that `loadConfig` finds for it. */
export interface SettingInForce {
  readonly setting: Setting<unknown>;
  /** Undefined: not set. */
  readonly value: unknown;
  /** `default`, `environment`, `foresail.yaml:3`, or `command line`. */
  readonly from: string;
}

/**
 * Every setting but those of tests, in the order of the schema, read as `loadConfig` reads them.
 * @throws {ConfigError} as `loadConfig`
 */
export function settingsInForce(sources: ConfigSources = {}): readonly SettingInForce[] {
  const { values } = readAll(sources);
  return [...SETTINGS_BY_ENV.values()]
    .filter(({ hidden }) => hidden !== true)
    .map((setting) => {
      const found = values.get(setting.env);
      const from = found?.given.where ?? 'default';
      return { setting, value: found?.value ?? setting.fallback, from };
    });
}

function readAll(sources: ConfigSources): Reading {
  const reading: Reading = { values: new Map(), faults: [], faulty: new Set() };
  const env = sources.env ?? process.env;
  readFile(sources.file, env, reading);
  readEnvironment(env, reading);
  readFlags(sources.flags ?? {}, reading);
  checkOrder(reading);
  checkCompanions(reading);
  if (reading.faults.length > 0) throw new ConfigError(reading.faults);
  return reading;
}

function readFile(file: string | undefined, env: Environment, reading: Reading): void {
  const path = file ?? env['FORESAIL_CONFIG'] ?? '';
  if (path === '') return;
  const { entries, faults } = readConfigFile(
    path,
    file === undefined ? 'FORESAIL_CONFIG' : '--config',
  );
  reading.faults.push(...faults);
  const base = resolve(dirname(path));
  const seen = new Set<unknown>();
  for (const { key, value, where } of entries) {
    const setting = settingOfYamlKey(key);
    if (setting === undefined) {
      reading.faults.push({ name: key, where, msg: `there is no such setting${didYouMean(key)}` });
    } else if (seen.has(setting)) {
      reading.faults.push({ name: key, where, msg: 'the setting stands twice in the file' });
    } else if (value !== null && value !== undefined) {
      take({ setting, value, name: key, where, base }, reading);
    }
    seen.add(setting);
  }
}

function readEnvironment(env: Environment, reading: Reading): void {
  const where = 'environment';
  const base = process.cwd();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue;
    const setting = SETTINGS_BY_ENV.get(name);
    if (setting !== undefined) take({ setting, value, name, where, base }, reading);
    else if (isUnknownEnv(name)) {
      reading.faults.push({ name, where, msg: `there is no such setting${didYouMean(name)}` });
    }
  }
}

function readFlags(flags: Readonly<Record<string, unknown>>, reading: Reading): void {
  const where = 'command line';
  const base = process.cwd();
  for (const [flag, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const setting = settingOfFlag(flag);
    const name = flagName(flag);
    if (setting !== undefined) take({ setting, value, name, where, base }, reading);
    else reading.faults.push({ name, where, msg: 'there is no such setting' });
  }
}

/** Keeps the value, over one of a weaker source; a wrong one is a fault even if it were overruled. */
function take(given: Given, reading: Reading): void {
  const { setting, value, name, where, base } = given;
  const parsed = setting.schema.safeParse(value);
  if (parsed.success) {
    const kept = setting.isPath === true ? absolute(parsed.data, base) : parsed.data;
    reading.values.set(setting.env, { value: kept, given });
    return;
  }
  const shown = setting.secret === true ? 'its value' : shownValue(value);
  const msg = `${shown} is not allowed; allowed is ${setting.allowed}`;
  reading.faults.push({ name, where, msg });
  reading.faulty.add(setting.env);
}

function absolute(value: unknown, base: string): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map((item) => absolute(item, base));
  return typeof value === 'string' ? resolve(base, value) : value;
}

/** Numbers that contradict each other; silent where one of them is wrong by itself. */
function checkOrder(reading: Reading): void {
  for (const { less, than, orEqual } of ORDERED) {
    const names = [...less, than];
    const given = names.flatMap((name) => reading.values.get(name)?.given ?? []);
    const [culprit] = given;
    if (culprit === undefined || names.some((name) => reading.faulty.has(name))) continue;
    const sum = less.reduce((total, name) => total + numberOf(name, reading), 0);
    const limit = numberOf(than, reading);
    if (orEqual === true ? sum <= limit : sum < limit) continue;
    const relation = orEqual === true ? 'at most' : 'less than';
    const msg = `${less.join(' + ')} = ${sum} must be ${relation} ${than} = ${limit}`;
    reading.faults.push({ name: culprit.name, where: culprit.where, msg });
  }
}

/** Settings that mean nothing without another one. */
function checkCompanions(reading: Reading): void {
  for (const { setting, needs } of COMPANIONS) {
    const found = reading.values.get(setting);
    const isSet = Array.isArray(found?.value) ? found.value.length > 0 : found !== undefined;
    if (!found || !isSet || reading.values.has(needs) || reading.faulty.has(needs)) continue;
    const { name, where } = found.given;
    reading.faults.push({ name, where, msg: `it needs ${needs}, which is not set` });
  }
}

function numberOf(env: string, reading: Reading): number {
  return Number(reading.values.get(env)?.value ?? SETTINGS_BY_ENV.get(env)?.fallback);
}

/** Puts the values into their slices. That each has the type of its setting was checked by `take`. */
function assemble(reading: Reading): Config {
  const valueOf = ({ env, fallback }: Setting<unknown>): unknown => {
    const value = reading.values.get(env)?.value ?? fallback;
    return Array.isArray(value) ? Object.freeze([...(value as unknown[])]) : value;
  };
  return mapValues(SETTINGS, (slice: Record<string, Setting<unknown>>) =>
    mapValues(slice, valueOf),
  ) as Config;
}

/** A frozen object with the same keys. */
function mapValues<T>(object: Readonly<Record<string, T>>, map: (value: T) => unknown): object {
  const entries = Object.entries(object).map(([key, value]): [string, unknown] => [
    key,
    map(value),
  ]);
  return Object.freeze(Object.fromEntries(entries));
}
