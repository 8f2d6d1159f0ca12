import { ConfigError, maskPasswords, shownValue } from './config-error';
import type { Environment } from './load-config';

/** How a client of the REST API (the CLI, a worker) reaches the scheduler. */
export interface ClientConfig {
  /** Base URL without a slash at the end. */
  readonly url: string;
  /** Sent as a bearer token when there is one. */
  readonly key?: string;
}

/**
 * Reads `FORESAIL_URL` (default `http://127.0.0.1:8102`) and `FORESAIL_KEY`.
 *
 * @param env default: the environment of this process
 * @throws {ConfigError} when the URL is none of http or https, or the key is not printable
 */
export function loadClientConfig(env: Environment = process.env): ClientConfig {
  const url = env['FORESAIL_URL'] ?? '';
  const key = env['FORESAIL_KEY'] ?? '';
  const faults = [];
  if (url !== '' && !isHttpUrl(url)) {
    const msg = `${shownValue(url)} is not allowed; allowed is a URL that begins with http:// or https://`;
    faults.push({ name: 'FORESAIL_URL', where: 'environment', msg });
  }
  if (!/^[\x21-\x7e]*$/.test(key)) {
    const msg = 'the key holds blanks or other characters that no key has';
    faults.push({ name: 'FORESAIL_KEY', where: 'environment', msg });
  }
  if (faults.length > 0) throw new ConfigError(faults);
  const base = url === '' ? 'http://127.0.0.1:8102' : url.replace(/\/+$/, '');
  return key === '' ? { url: base } : { url: base, key };
}

/** The settings of clients and where they come from, as they may be shown: the key is masked. */
export function clientSettingsInForce(
  env: Environment = process.env,
): readonly { name: string; value: string | null; unit: null; from: string }[] {
  const { url, key } = loadClientConfig(env);
  const fromEnv = (name: string): string => ((env[name] ?? '') === '' ? 'default' : 'environment');
  return [
    { name: 'FORESAIL_URL', value: maskPasswords(url), unit: null, from: fromEnv('FORESAIL_URL') },
    {
      name: 'FORESAIL_KEY',
      value: key === undefined ? null : '***',
      unit: null,
      from: fromEnv('FORESAIL_KEY'),
    },
  ];
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}
