/** Element types of array parameters. */
export type ElementType = 'uuid' | 'text' | 'json' | 'int4' | 'float8' | 'timestamptz';

/** `timestamptz` elements are Unix ms. */
export type Element = string | number | null;

const OIDS = { uuid: 2950, text: 25, json: 114, int4: 23, float8: 701, timestamptz: 1184 } as const;
const WIDTHS = { uuid: 16, int4: 4, float8: 8, timestamptz: 8 } as const;
const HEADER_BYTES = 20;
/** 2000-01-01 in Unix ms: where PostgreSQL's timestamps begin. */
const TIMESTAMP_ORIGIN_MS = 946_684_800_000;
const TWO_TO_32 = 0x1_0000_0000;

/**
 * A one-dimensional array in PostgreSQL's binary format. The driver's own text form has to quote
 * every payload and makes the server parse every number; a lane that writes arrays all day spends
 * a tenth of its time on that.
 * @throws {RangeError} when a value is not of the type
 */
export function arrayParameter(type: ElementType, values: readonly Element[]): Buffer {
  let total = HEADER_BYTES;
  for (const value of values) total += 4 + Math.max(0, sizeOf(type, value));
  const buffer = Buffer.allocUnsafe(total);
  let at = writeHeader(buffer, type, values.length);
  for (const value of values) {
    const size = sizeOf(type, value);
    at = buffer.writeInt32BE(size, at);
    if (value === null) continue;
    writeElement(buffer, at, type, value);
    at += size;
  }
  return buffer;
}

const NULL_SIZE = -1;

function sizeOf(type: ElementType, value: Element): number {
  if (value === null) return NULL_SIZE;
  if (type === 'text' || type === 'json') return Buffer.byteLength(String(value));
  return WIDTHS[type];
}

function writeHeader(buffer: Buffer, type: ElementType, length: number): number {
  let at = buffer.writeInt32BE(1, 0); // dimensions
  at = buffer.writeInt32BE(1, at); // there may be nulls
  at = buffer.writeInt32BE(OIDS[type], at);
  at = buffer.writeInt32BE(length, at);
  return buffer.writeInt32BE(1, at); // index of the first element
}

function writeElement(buffer: Buffer, at: number, type: ElementType, value: string | number): void {
  switch (type) {
    case 'text':
    case 'json':
      buffer.write(String(value), at);
      return;
    case 'uuid':
      writeUuid(buffer, at, String(value));
      return;
    case 'int4':
      buffer.writeInt32BE(int32(value), at);
      return;
    case 'float8':
      // A time limit that is none is infinite.
      buffer.writeDoubleBE(value === Infinity ? value : finite(value), at);
      return;
    case 'timestamptz':
      writeTimestamp(buffer, at, finite(value));
  }
}

function writeUuid(buffer: Buffer, at: number, value: string): void {
  const digits = value.replaceAll('-', '');
  const isWhole =
    value.length === 36 && digits.length === 32 && buffer.write(digits, at, 'hex') === 16;
  if (!isWhole) throw new RangeError(`${JSON.stringify(value)} is not a UUID`);
}

function writeTimestamp(buffer: Buffer, at: number, unixMs: number): void {
  const micros = Math.round((unixMs - TIMESTAMP_ORIGIN_MS) * 1_000);
  const high = Math.floor(micros / TWO_TO_32);
  buffer.writeInt32BE(high, at);
  buffer.writeUInt32BE(micros - high * TWO_TO_32, at + 4);
}

function int32(value: string | number): number {
  if (typeof value === 'number' && (value | 0) === value) return value;
  throw new RangeError(`${JSON.stringify(value)} is not a 32-bit integer`);
}

function finite(value: string | number): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new RangeError(`${JSON.stringify(value)} is not a finite number`);
}
