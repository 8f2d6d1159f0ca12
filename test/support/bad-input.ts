/** What a field of a body does not take. */
export interface FieldRule {
  readonly wrong: readonly unknown[];
  readonly required?: true;
}

/** One call with a body, and what its fields do not take. */
export interface BodyCall {
  readonly path: string;
  readonly good: Readonly<Record<string, unknown>>;
  readonly fields: Readonly<Record<string, FieldRule>>;
}

/** No texts; whether null is one is another question. */
export const NO_TEXT: readonly unknown[] = [7, true, [], {}, ['x']];
/** No objects. */
export const NO_OBJECT: readonly unknown[] = [null, 7, true, 'x', [], [{}]];

/** Bodies, as JSON text, that are no objects. */
export const NO_OBJECT_BODIES = ['null', '[]', '[{}]', '"x"', '7', 'true'] as const;

/** JSON texts of values that are nowhere taken, not even where nobody looks at them. */
export const UNKEPT_VALUES: readonly [name: string, value: string][] = [
  ['NUL escaped', '"a\\u0000b"'],
  ['NUL in a name', '{"\\u0000":1}'],
  ['NUL itself', '"a\0b"'],
  ['UTF-16, which is full of NUL', Buffer.from('"a"', 'utf16le').toString()],
  ['half a surrogate pair', '"\\ud83d"'],
  ['the other half', '"\\ude00"'],
  ['halves in the wrong order', '"\\ude00\\ud83d"'],
  ['2^53', '9007199254740992'],
  ['2^53+1', '[[9007199254740993]]'],
  ['-2^53', '-9007199254740992'],
  ['2^53+1 with a point', '9007199254740993.0'],
  ['2^53+1 with an exponent', '9007199254740993e0'],
  ['a huge integer', '1'.repeat(400)],
  ['a number that overflows', '1e999'],
  ['lists 65 deep', '['.repeat(64) + ']'.repeat(64)],
  ['objects 65 deep', '{"a":'.repeat(64) + '1' + '}'.repeat(64)],
  ['lists 100 000 deep', '['.repeat(100_000)],
];

/** Bodies that are no JSON. */
export const MALFORMED_BODIES: readonly [name: string, body: string | Buffer][] = [
  ['half an object', '{"host":'],
  ['text', 'hello'],
  ['a form', 'host=127.0.0.1&port=1'],
  ['two objects', '{}{}'],
  ['a comment', '{/* */}'],
  ['single quotes', "{'a':1}"],
  ['NaN', '{"a":NaN}'],
  ['a trailing comma', '{"a":1,}'],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['a surrogate in UTF-8', Buffer.from('7b22eda080223a317d', 'hex')],
];

const JSON_TYPE = { 'content-type': 'application/json' };

/** Headers with which a good body is not let in, and the status of the answer. */
export const CLOSED_DOORS: readonly [
  status: number,
  name: string,
  headers: Record<string, string>,
][] = [
  [415, 'text', { 'content-type': 'text/plain' }],
  [415, 'XML', { 'content-type': 'application/xml' }],
  [415, 'a multipart form', { 'content-type': 'multipart/form-data; boundary=x' }],
  [415, 'another charset', { 'content-type': 'application/json; charset=latin1' }],
  [415, 'a compressed body', { ...JSON_TYPE, 'content-encoding': 'gzip' }],
  [403, 'a page of another site', { origin: 'http://evil.example' }],
  [403, 'what a page of another site caused', { 'sec-fetch-site': 'cross-site' }],
  [403, 'a rebound name', { ...JSON_TYPE, host: 'evil.example' }],
  [401, 'a wrong key', { ...JSON_TYPE, authorization: 'Bearer wrong' }],
  [401, 'an empty key', { ...JSON_TYPE, 'x-api-key': '' }],
];

/** The good body, as JSON text, with one more member, whose value is that JSON text. */
export function withExtra(good: BodyCall['good'], value: string): string {
  const members = JSON.stringify(good).slice(1, -1);
  return `{${members}${members === '' ? '' : ','}"extra":${value}}`;
}

/** The good body without a member. */
export function without(good: BodyCall['good'], name: string): object {
  return Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
}

/** The same rule, but for values that are fine here. */
export function taking({ wrong }: FieldRule, ...fine: unknown[]): FieldRule {
  return { wrong: wrong.filter((value) => !fine.includes(value)) };
}
