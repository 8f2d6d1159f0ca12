import { EventStream } from './event-stream';

/** The events of a stream that arrives in pieces of that many bytes. */
function read(bytes: Buffer, size: number): string[] {
  const stream = new EventStream();
  const events: string[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    events.push(...stream.push(bytes.subarray(at, at + size)));
  }
  return [...events, ...stream.end()];
}

describe('EventStream', () => {
  const text =
    '\ufeffdata: {"a":"ä😀"}\r\n\r\n: a comment\ndata:no blank\n\nevent: x\nid: 7\ndata: one\n' +
    'data: two\n\n\n\ndata\n\ndatax: no\n\nretry: 5\r\rdata:  three\r\rdata: [DONE]';
  const events = ['{"a":"ä😀"}', 'no blank', 'one\ntwo', '', ' three', '[DONE]'];

  it.each([1, 2, 3, 5, 7, 1000])('gives the same events in pieces of %i bytes', (size) => {
    expect(read(Buffer.from(text), size)).toEqual(events);
  });

  it('gives an event as soon as its blank line is there', () => {
    const stream = new EventStream();

    expect(stream.push(Buffer.from('data: 1\n'))).toEqual([]);
    expect(stream.push(Buffer.from('\ndata: 2'))).toEqual(['1']);
    expect(stream.push(Buffer.from('3\n\n'))).toEqual(['23']);
    expect(stream.end()).toEqual([]);
  });
});
