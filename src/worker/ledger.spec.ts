import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settled } from '../../test/support/worker-fakes';
import { Ledger, type LedgerEntry, type LedgerFile } from './ledger';

const entry = (remoteId: string): LedgerEntry => ({
  task_id: 't',
  dispatch_id: null,
  remote_id: remoteId,
  worker: 'w',
  started_at: 1.5,
  finished_at: 2.5,
  ok: true,
});

/** A file whose syncs end when the test says so. */
class SlowFile implements LedgerFile {
  readonly steps: string[] = [];
  private release: (() => void) | null = null;

  appendFile(text: string): Promise<void> {
    const ids = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as LedgerEntry).remote_id);
    this.steps.push(`write ${ids.join(' ')}`);
    return Promise.resolve();
  }

  datasync(): Promise<void> {
    this.steps.push('sync begins');
    return new Promise((resolve) => {
      this.release = resolve;
    });
  }

  close(): Promise<void> {
    this.steps.push('closed');
    return Promise.resolve();
  }

  async endSync(): Promise<void> {
    this.steps.push('sync ends');
    this.release?.();
    await settled();
  }
}

describe('Ledger', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-ledger-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('writes one JSON line per execution and appends to what is there', async () => {
    const path = join(folder, 'ledger.jsonl');
    const first = await Ledger.open(path);
    await Promise.all([first.append(entry('a')), first.append(entry('b'))]);
    await first.close();
    const second = await Ledger.open(path);
    await second.append(entry('c'));
    await second.close();

    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines).toEqual([entry('a'), entry('b'), entry('c')].map((line) => JSON.stringify(line)));
  });

  it('begins a new line after one that a killed process left unfinished', async () => {
    const path = join(folder, 'ledger.jsonl');
    await writeFile(path, '{"task_id":"t","disp');
    const ledger = await Ledger.open(path);
    await ledger.append(entry('a'));
    await ledger.close();

    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(lines).toEqual(['{"task_id":"t","disp', JSON.stringify(entry('a')), '']);
  });

  it('confirms a line after its sync, and lets lines that come meanwhile share the next', async () => {
    const file = new SlowFile();
    const ledger = new Ledger(file);
    const append = (id: string): void => {
      void ledger.append(entry(id)).then(() => file.steps.push(`confirmed ${id}`));
    };
    append('a');
    await settled();
    append('b');
    append('c');
    await settled();
    await file.endSync();
    await file.endSync();

    expect(file.steps).toEqual([
      'write a',
      'sync begins',
      'sync ends',
      'confirmed a',
      'write b c',
      'sync begins',
      'sync ends',
      'confirmed b',
      'confirmed c',
    ]);
  });

  it('tells everyone whose line could not be written, and closes after the last', async () => {
    const full: LedgerFile = {
      appendFile: () => Promise.reject(new Error('no space left')),
      datasync: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const ledger = new Ledger(full);

    await expect(ledger.append(entry('a'))).rejects.toThrow('no space left');
    await ledger.close();
  });

  it('names the file that cannot be opened', async () => {
    const path = join(folder, 'absent', 'ledger.jsonl');

    await expect(Ledger.open(path)).rejects.toThrow(path);
  });
});
