import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lookupRecord } from '../../test/support/lookup-records';
import { until } from '../../test/support/until';
import { LookupReloader } from './lookup-reloader';

/** What was told, as one text per line. */
class Told {
  readonly lines: string[] = [];
  readonly info = ({ msg }: { msg: string }): void => void this.lines.push(`info ${msg}`);
  readonly error = ({ msg }: { msg: string }): void => void this.lines.push(`error ${msg}`);
}

describe('LookupReloader', () => {
  const folder = mkdtempSync(join(tmpdir(), 'foresail-reload-'));
  const file = join(folder, 'lookup.json');
  let told: Told;
  let reloader: LookupReloader;

  const write = (content: unknown, to = file): void =>
    writeFileSync(to, typeof content === 'string' ? content : JSON.stringify(content));
  const medianOf = (): number | undefined =>
    reloader.table.find({ model: 'llama', metadata: {} })?.quantile(0.5);
  const loggerOf = (lines: Told) => lines as unknown as Parameters<typeof LookupReloader.open>[1];

  beforeEach(() => {
    write([lookupRecord({}, [1, 2, 3])]);
    told = new Told();
    reloader = LookupReloader.open(file, loggerOf(told));
  });

  afterEach(() => reloader.close());
  afterAll(() => rmSync(folder, { recursive: true }));

  it('takes up a file that is written over', async () => {
    expect(medianOf()).toBe(2);
    write([lookupRecord({}, [10, 20, 30]), lookupRecord({ hardware: 'A100' }, [10, 50, 80])]);
    await until(() => medianOf() === 50, 'the new records');
    expect(reloader.status).toMatchObject({ records: 2, fault: null });
    expect(told.lines).toEqual(['info lookup file read again: 2 records']);
  });

  it('takes up a file that is renamed into place, as editors do', async () => {
    const draft = join(folder, 'draft.json');
    write([lookupRecord({}, [10, 20, 30])], draft);
    renameSync(draft, file);
    await until(() => medianOf() === 20, 'the new records');
  });

  it('keeps the records when the new file is wrong, says so once, and takes up the next', async () => {
    write([lookupRecord({}, [10, 20, 30]), lookupRecord({ hardware: 7 })]);
    await until(() => reloader.status?.fault !== null, 'the fault');
    const fault = 'record 1: model_info.hardware must be a string';
    expect(reloader.status).toMatchObject({ records: 1, fault });
    expect(medianOf()).toBe(2);
    write([lookupRecord({}, [10, 20, 30])]);
    await until(() => reloader.status?.fault === null, 'the mended file');
    expect(medianOf()).toBe(20);
    expect(told.lines).toEqual([
      `error lookup file ${file}: ${fault}; the 1 records from before stay in use`,
      'info lookup file read again: 1 records',
    ]);
  });

  it('keeps the records when the file is gone', async () => {
    rmSync(file);
    await until(() => reloader.status?.fault !== null, 'the fault');
    expect(reloader.status?.fault).toContain('ENOENT');
    expect(medianOf()).toBe(2);
  });

  it('is empty without a file', () => {
    const none = LookupReloader.open(undefined, loggerOf(told));
    expect(none.status).toBeNull();
    expect(none.table.models).toEqual([]);
    none.close();
  });

  it('does not begin with a wrong file', () => {
    write('[{');
    expect(() => LookupReloader.open(file, loggerOf(told))).toThrow(/is not JSON/);
  });
});
