import { InvalidArgumentError } from 'commander';

const MOST_PORT = 65_535;

/** A number between bounds that both are allowed, for an option. */
export function numberFrom(least: number, most: number): (text: string) => number {
  return (text) => numberIn(text, least, most, 'a number');
}

/** A whole number between bounds that both are allowed, for an option. */
export function wholeFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = numberIn(text, least, most, 'a whole number');
    if (Number.isInteger(value)) return value;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} is needed`);
  };
}

/** A factor above 0, for an option. */
export const factor = numberFrom(1e-6, 1e9);

/** A URL of http or https, for an option; comes without a slash at the end. */
export function httpUrl(text: string): string {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') {
    return text.replace(/\/+$/, '');
  }
  throw new InvalidArgumentError('a URL is needed, like http://127.0.0.1:8102');
}

/** Where something listens, for an option: a name or an address (one of IPv6 in brackets), and a port. */
export function hostPort(text: string): string {
  const port = Number(/^(?:\[[\da-f:.]{2,45}\]|[\w.-]{1,253}):(\d{1,5})$/i.exec(text)?.[1]);
  if (port >= 1 && port <= MOST_PORT) return text;
  throw new InvalidArgumentError('a host and a port are needed, like 10.0.0.5:9000');
}

/** A text of 1 to 256 characters, for an option or argument. */
export function nameText(text: string): string {
  if (text.length >= 1 && text.length <= 256) return text;
  throw new InvalidArgumentError('1 to 256 characters are needed');
}

function numberIn(text: string, least: number, most: number, kind: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`${kind} from ${least} to ${most} is needed`);
}
