import type { IncomingHttpHeaders } from 'node:http';
import { SchedulerError } from '../core/errors';
import type { Dialect } from './dialect';

/** True when the request announces a body of at least one byte. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && Number(length) > 0;
}

/**
 * Refuses bodies that are not plain JSON in UTF-8. Where the dialect is not strict, a missing type
 * and the form type (what `curl -d` sends) are read as JSON, unless a page sent them: a page can
 * send those without asking, and must not get around the check of its origin.
 *
 * @throws {SchedulerError} `unsupported_content`
 */
export function checkContent(headers: IncomingHttpHeaders, dialect: Dialect): void {
  if (!hasBody(headers)) return;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw unsupported('content-encoding', encoding, 'an uncompressed body');
  }
  const type = headers['content-type'];
  if (type !== undefined && isJson(type)) return;
  const fromProgram = dialect.strictContentType !== true && headers.origin === undefined;
  if (fromProgram && (type === undefined || isForm(type))) return;
  throw unsupported('content-type', type ?? 'none', 'application/json in UTF-8');
}

function isJson(type: string): boolean {
  if (type === 'application/json') return true;
  const [essence, ...parameters] = type.toLowerCase().split(';').map(trim);
  return essence === 'application/json' && parameters.every(isUtf8Charset);
}

function isForm(type: string): boolean {
  return trim(type.toLowerCase().split(';')[0] ?? '') === 'application/x-www-form-urlencoded';
}

function isUtf8Charset(parameter: string): boolean {
  return parameter === '' || /^charset=(?:utf-?8|"utf-?8")$/.test(parameter);
}

function trim(text: string): string {
  return text.trim();
}

function unsupported(header: string, value: string, allowed: string): SchedulerError {
  const shown = value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return new SchedulerError(
    'unsupported_content',
    `${header} ${JSON.stringify(shown)} is not read here; allowed is ${allowed}`,
  );
}
