import { SchedulerError } from '../core/errors';
import { PageQueryDto } from './dto/page.dto';
import { Cursors } from './page';
import { readDto } from './read-dto';

const ID = '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10';
const cursors = new Cursors('things', 'text', 'instant', 'uuid');

interface Thing {
  readonly name: string;
  readonly at: number;
}

const keyOf = ({ name, at }: Thing): [string, number, string] => [name, at, ID];
const THINGS: readonly Thing[] = ['a', 'a', 'ü/\u{1F600}'].map((name, at) => ({ name, at }));

function cursorOf(...parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function faultOf(read: () => unknown): unknown {
  try {
    read();
  } catch (error) {
    if (error instanceof SchedulerError) return [error.code, error.details.faults?.[0]?.loc];
    throw error;
  }
  return 'no fault';
}

describe('Cursors', () => {
  it('lead to the key of the last item of the page', () => {
    for (const limit of [1, 2]) {
      const { items, nextCursor } = cursors.page(THINGS, limit, keyOf);
      expect(items).toEqual(THINGS.slice(0, limit));
      expect(nextCursor).toMatch(/^[\w-]+$/);
      expect(cursors.read(nextCursor ?? '')).toEqual(keyOf(THINGS[limit - 1]!));
    }
    const { nextCursor } = cursors.page([THINGS[2]!, THINGS[0]!], 1, keyOf);
    expect(cursors.read(nextCursor ?? '')).toEqual(keyOf(THINGS[2]!));
  });

  it('end with the last page', () => {
    expect(cursors.page(THINGS, 3, keyOf)).toEqual({ items: THINGS, nextCursor: null });
    expect(cursors.page([], 3, keyOf)).toEqual({ items: [], nextCursor: null });
    expect(cursors.read(undefined)).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['no base64', '***'],
    ['no JSON', Buffer.from('[').toString('base64url')],
    ['no list', Buffer.from('{}').toString('base64url')],
    ['another list', cursorOf('others', 'a', 1, ID)],
    ['a part too few', cursorOf('things', 'a', 1)],
    ['a part too many', cursorOf('things', 'a', 1, ID, 1)],
    ['a part of another type', cursorOf('things', 'a', '1', ID)],
    ['a time that none can be', cursorOf('things', 'a', 1e300, ID)],
    ['a time that overflows', Buffer.from(`["things","a",1e999,"${ID}"]`).toString('base64url')],
    ['an id that is none', cursorOf('things', 'a', 1, `${ID}'`)],
    ['NUL', cursorOf('things', 'a\0', 1, ID)],
    ['half a character', Buffer.from(`["things","\\ud800",1,"${ID}"]`).toString('base64url')],
  ])('are refused when they are %s', (_, cursor) => {
    expect(faultOf(() => cursors.read(cursor))).toEqual(['invalid_input', ['query', 'cursor']]);
  });
});

describe('PageQueryDto', () => {
  it('asks for 100 from the beginning on', () => {
    expect(readDto(PageQueryDto, {}, 'query')).toEqual({ limit: 100 });
    expect(readDto(PageQueryDto, { limit: '7', cursor: 'x' }, 'query')).toEqual({
      limit: 7,
      cursor: 'x',
    });
  });

  it.each([['0'], ['1001'], ['1.5'], ['many'], ['']])('refuses %j of them', (limit) => {
    const read = (): unknown => readDto(PageQueryDto, { limit }, 'query');
    expect(faultOf(read)).toEqual(['invalid_input', ['query', 'limit']]);
  });
});
