import { setTimeout as sleep } from 'node:timers/promises';
import { GatheredRead } from './gathered-read';
import { StoreUnavailableError } from './store-unavailable.error';

/** Statements that end when they are told to. */
class Statements {
  readonly asked: (readonly string[])[] = [];
  private readonly ends: ((error?: Error) => void)[] = [];

  readonly read = (keys: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    this.asked.push(keys);
    const known = keys.filter((key) => key !== 'unknown');
    return new Promise((resolve, reject) => {
      this.ends.push((error) => {
        if (error) reject(error);
        else resolve(new Map(known.map((key) => [key, `row of ${key}`])));
      });
    });
  };

  async end(error?: Error): Promise<void> {
    await turn();
    this.ends.shift()?.(error);
    await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('reading by key', () => {
  let statements: Statements;
  let reads: GatheredRead<string, string>;

  beforeEach(() => {
    statements = new Statements();
    reads = new GatheredRead(statements.read);
  });

  it('reads one key at once, and says when there is nothing', async () => {
    const known = reads.of('a');
    await turn();
    expect(statements.asked).toEqual([['a']]);
    await statements.end();
    await expect(known).resolves.toBe('row of a');
    const unknown = reads.of('unknown');
    await statements.end();
    await expect(unknown).resolves.toBeNull();
  });

  it('reads together what is asked while a statement is on its way, each key once', async () => {
    const first = reads.of('a');
    await turn();
    const others = ['b', 'c', 'b'].map((key) => reads.of(key));
    await turn();
    expect(statements.asked).toEqual([['a']]);
    await statements.end();
    await expect(first).resolves.toBe('row of a');
    expect(statements.asked).toEqual([['a'], ['b', 'c']]);
    await statements.end();
    await expect(Promise.all(others)).resolves.toEqual(['row of b', 'row of c', 'row of b']);
  });

  it('asks again for a key whose statement has begun: what it saw may be over', async () => {
    const first = reads.of('a');
    await turn();
    const again = reads.of('a');
    await statements.end();
    await statements.end();
    expect(statements.asked).toEqual([['a'], ['a']]);
    await expect(Promise.all([first, again])).resolves.toEqual(['row of a', 'row of a']);
  });

  it('fails those of one statement, and reads on', async () => {
    const first = reads.of('a');
    await turn();
    const second = reads.of('b');
    const failed = expect(first).rejects.toThrow('no answer');
    await statements.end(new Error('no answer'));
    await failed;
    await statements.end();
    await expect(second).resolves.toBe('row of b');
  });

  it('reads at most eight keys with one statement', async () => {
    const first = reads.of('first');
    await turn();
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
    const all = Promise.all(keys.map((key) => reads.of(key)));
    for (let statement = 0; statement < 4; statement += 1) await statements.end();
    await first;
    await expect(all).resolves.toEqual(keys.map((key) => `row of ${key}`));
    expect(statements.asked.map(({ length }) => length)).toEqual([1, 8, 8, 4]);
    const later = reads.of('later');
    await statements.end();
    await expect(later).resolves.toBe('row of later');
  });

  it('gives up what waited too long behind statements that hang, and reads what came later', async () => {
    reads = new GatheredRead(statements.read, 50);
    const hanging = reads.of('hanging');
    await turn();
    const late = Array.from({ length: 20 }, (_, n) => reads.of(`k${n}`));
    const outcomes = Promise.allSettled(late);
    await sleep(80);
    await statements.end(new Error('no answer'));
    await expect(hanging).rejects.toThrow('no answer');
    const given = await outcomes;
    expect(given.map(({ status }) => status)).toEqual(Array(20).fill('rejected'));
    await expect(late[19]).rejects.toThrow(StoreUnavailableError);
    expect(statements.asked).toEqual([['hanging']]);
    const next = reads.of('next');
    await statements.end();
    await expect(next).resolves.toBe('row of next');
  });
});
