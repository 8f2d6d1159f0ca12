import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { withStartLock } from './start-lock';

const silent = (): void => undefined;

describe('withStartLock', () => {
  let scratch: string;
  let locks: string;
  beforeEach(async () => {
    scratch = await mkdtemp(path.join(os.tmpdir(), 'lock-spec-'));
    locks = path.join(scratch, 'locks');
  });
  afterEach(() => rm(scratch, { recursive: true }));

  it('lets one in at a time, and everybody in the end', async () => {
    let inside = 0;
    let most = 0;
    const visit = async (visitor: number): Promise<number> => {
      inside += 1;
      most = Math.max(most, inside);
      // Real work between: a file per visitor that the next one must not meet.
      await writeFile(path.join(scratch, 'visitor'), '', { flag: 'wx' });
      await rm(path.join(scratch, 'visitor'));
      inside -= 1;
      return visitor;
    };
    const visitors = [1, 2, 3, 4, 5, 6, 7, 8];
    const seen = await Promise.all(
      visitors.map((visitor) => withStartLock(locks, silent, () => visit(visitor))),
    );
    expect(seen).toEqual(visitors);
    expect(most).toBe(1);
    expect(await readdir(locks)).toEqual([]);
  });

  it('is released when the work fails', async () => {
    const failing = withStartLock(locks, silent, () => Promise.reject(new Error('no luck')));
    await expect(failing).rejects.toThrow('no luck');
    expect(await readdir(locks)).toEqual([]);
  });

  it('ignores and removes what dead processes left, also under a pid that lives again', async () => {
    await mkdir(locks);
    await writeFile(path.join(locks, '2147483646-17-boot_dead'), '');
    await writeFile(path.join(locks, `${process.pid}-17-boot_reused`), '');
    await writeFile(path.join(locks, 'rubbish'), '');
    expect(await withStartLock(locks, silent, () => readdir(locks))).toHaveLength(1);
  });

  it('waits for a living holder, and says for whom', async () => {
    const log: string[] = [];
    const waits = new Promise<void>((resolve) => {
      void withStartLock(locks, silent, async () => {
        const second = withStartLock(
          locks,
          (line) => log.push(line),
          () => Promise.resolve('in'),
        );
        // Ends only if the second is let in after us: it cannot be while we are here.
        const first = await Promise.race([second, said(log)]);
        expect(first).toBe('said');
        void second.then(() => resolve());
      });
    });
    await waits;
    expect(log).toEqual([
      `waiting for process ${process.pid}, which starts or stops this PostgreSQL just now`,
    ]);
  });
});

/** Resolves once something was logged. */
function said(log: string[]): Promise<'said'> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (log.length > 0) resolve('said');
      else setImmediate(look);
    };
    look();
  });
}
