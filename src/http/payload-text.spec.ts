import * as fc from 'fast-check';
import { payloadText, rememberPayloads } from './payload-text';

/** A body as it is after it was read. */
function read(text: string): Record<string, object> {
  const body = JSON.parse(text) as Record<string, object>;
  rememberPayloads(body, text);
  return body;
}

describe('payloadText', () => {
  it.each([
    ['a negative zero', '{"n":-0}'],
    ['a name that comes twice', '{"a":1,"a":2}'],
    ['names that look like indices', '{"b":1,"10":2}'],
    ['numbers as they are spelled', '{"n":[1.0,1E2,1e-400,0.12345678901234567890]}'],
    ['white space', '{ "a" :\n[ 1 ] }'],
    ['escapes', '{"\\u0061":"\\/\\ud83d\\ude00"}'],
    ['names of the prototype', '{"__proto__":{"x":1},"constructor":[]}'],
  ])('gives back %s, alone and in a batch', (_name, text) => {
    const alone = read(`{"model_name":"m", "task_input" : ${text} ,"metadata":{}}`);
    expect(payloadText(alone['task_input']!)).toBe(text);
    const { tasks } = read(`{"tasks":[{"x":[{}]},{"task_input":${text}}, 1]}`);
    const [, second] = tasks as [object, { task_input: object }];
    expect(payloadText(second.task_input)).toBe(text);
  });

  it('gives back of members of one name the last, as JSON.parse does', () => {
    expect(payloadText(read('{"a":{"n":-0},"a":{"n":1.0}}')['a']!)).toBe('{"n":1.0}');
    const { tasks } = read('{"tasks":[{"a":{"n":1}},{}],"tasks":[{"a":{"n":1.0}}]}');
    expect(payloadText((tasks as [{ a: object }])[0].a)).toBe('{"n":1.0}');
  });

  it('prints an object that came in no body', () => {
    expect(payloadText({ a: [1] })).toBe('{"a":[1]}');
  });

  it('gives back every JSON object as it was printed', () => {
    const payload = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(payload, payload, fc.constantFrom(0, 2), (input, metadata, indent) => {
        const [a, b] = [JSON.stringify(input, null, indent), JSON.stringify(metadata)];
        const body = read(`{"task_input":${a},"metadata":${b}}`);
        expect(payloadText(body['task_input']!)).toBe(a);
        expect(payloadText(body['metadata']!)).toBe(b);
      }),
    );
  });
});
