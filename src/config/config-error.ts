import { InputError } from './input-error';

/** One thing that is wrong with the settings. */
export interface ConfigFault {
  /** The setting as its writer named it: `FORESAIL_PORT`, `--port`, `port`. */
  readonly name: string;
  /** Where it was found: `environment`, `command line`, `foresail.yaml:3`. */
  readonly where: string;
  /** What is wrong, naming the value (never a secret) and what is allowed. */
  readonly msg: string;
}

/** The settings do not allow a start. The message has one line per fault; all are listed. */
export class ConfigError extends InputError {
  constructor(readonly faults: readonly ConfigFault[]) {
    super(faults.map(({ name, where, msg }) => `${name} (${where}): ${msg}`).join('\n'));
    this.name = 'ConfigError';
  }
}

const SHOWN_VALUE = 80;

/** A value in few characters, for a fault; what may be a password is masked. */
export function shownValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const masked = maskPasswords(text);
  return JSON.stringify(masked.length > SHOWN_VALUE ? `${masked.slice(0, SHOWN_VALUE)}…` : masked);
}

/** In a URL, right or wrong, all before the last `@` may be a password, but for the scheme. */
export function maskPasswords(text: string): string {
  return text
    .replace(/^([a-z]+:\/\/)?.*@/is, (_, scheme: string | undefined) => `${scheme ?? ''}***@`)
    .replace(/(password|secret|key)=[^&\s]*/gi, '$1=***');
}
