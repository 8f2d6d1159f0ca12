import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { SyncedLines, type LinesFile } from './synced-lines';

/** A file whose syncs end when the test says so. */
class SlowFile implements LinesFile {
  readonly steps: string[] = [];
  private release: (() => void) | null = null;

  appendFile(text: string): Promise<void> {
    this.steps.push(`write ${text.trim().replaceAll('\n', ' ')}`);
    return Promise.resolve();
  }

  datasync(): Promise<void> {
    return new Promise((resolve) => {
      this.release = resolve;
    });
  }

  close(): Promise<void> {
    this.steps.push('closed');
    return Promise.resolve();
  }

  async endSync(): Promise<void> {
    await turn();
    this.steps.push('synced');
    this.release?.();
    await turn();
  }
}

describe('SyncedLines', () => {
  it('confirms a line after its sync; lines that come meanwhile share the next', async () => {
    const file = new SlowFile();
    const lines = new SyncedLines(file);
    const append = (n: number): void => {
      void lines.append([n]).then(() => file.steps.push(`confirmed ${n}`));
    };
    append(1);
    await turn();
    append(2);
    append(3);
    await file.endSync();
    await file.endSync();
    await lines.close();

    expect(file.steps).toEqual([
      'write [1]',
      'synced',
      'confirmed 1',
      'write [2] [3]',
      'synced',
      'confirmed 2',
      'confirmed 3',
      'closed',
    ]);
  });

  it('tells those whose line could not be written', async () => {
    const full: LinesFile = {
      appendFile: () => Promise.reject(new Error('no space left')),
      datasync: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const lines = new SyncedLines(full);

    await expect(lines.append([1])).rejects.toThrow('no space left');
    await expect(lines.append([2])).rejects.toThrow('no space left');
    await lines.close();
  });

  it('names the file that cannot be opened', async () => {
    const path = join(tmpdir(), 'absent', 'ledger.jsonl');

    await expect(SyncedLines.open(path)).rejects.toThrow(path);
  });

  it('appends, on a new line where a killed process left half of one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'foresail-lines-'));
    const path = join(folder, 'ledger.jsonl');
    await writeFile(path, '{"a":1}\n{"a"');
    const lines = await SyncedLines.open(path);
    await lines.append({ a: 2 });
    await lines.close();

    expect(await readFile(path, 'utf8')).toBe('{"a":1}\n{"a"\n{"a":2}\n');
    await rm(folder, { recursive: true });
  });
});
