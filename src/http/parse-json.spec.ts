import { isSchedulerError } from '../core/errors';
import { parseJson } from './parse-json';

const read = (text: string): unknown => parseJson(Buffer.from(text)).value;

function refusal(raw: Buffer): { code: string; message: string } {
  try {
    parseJson(raw);
  } catch (error) {
    if (isSchedulerError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('parseJson', () => {
  it('keeps keys that name members of every object', () => {
    const body = read('{"__proto__":{"admin":true},"constructor":1,"prototype":2}');
    expect(Object.keys(body as object)).toEqual(['__proto__', 'constructor', 'prototype']);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('skips a byte order mark', () => {
    expect(read('\uFEFF{"a":1}')).toEqual({ a: 1 });
  });

  it('refuses bytes that are not UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xc3],
    ]) {
      expect(refusal(Buffer.from(bytes))).toMatchObject({ code: 'malformed_body' });
    }
  });

  it('says where a text stops being JSON, without repeating it', () => {
    const answer = refusal(Buffer.from('{"password":"hunter2",}'));
    expect(answer).toEqual({
      code: 'malformed_body',
      message: 'the body is not valid JSON (at character 22)',
    });
    expect(refusal(Buffer.from('hunter2')).message).toBe('the body is not valid JSON');
  });

  it('refuses what cannot be kept as invalid input', () => {
    expect(refusal(Buffer.from('[9007199254740993]'))).toMatchObject({ code: 'invalid_input' });
  });
});
