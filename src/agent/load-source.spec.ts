import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSourceOf, type LoadSource } from './load-source';

describe('a source of the load', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-load-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const command = (script: string, limitMs?: number): LoadSource => {
    const environment = { PATH: process.env['PATH'] ?? '' };
    return loadSourceOf({ kind: 'command', argv: ['sh', '-c', script], environment }, limitMs);
  };

  it('is a file, read anew each time', async () => {
    const path = join(folder, 'load.json');
    const source = loadSourceOf({ kind: 'file', path });
    await expect(source.read()).rejects.toThrow('ENOENT');
    await writeFile(path, '2');
    expect(await source.read()).toEqual({ currentTasks: 2, taskIds: null });
    await writeFile(path, '{"task_ids":["a"]}');
    expect(await source.read()).toEqual({ currentTasks: 1, taskIds: ['a'] });
    await writeFile(path, 'nonsense');
    await expect(source.read()).rejects.toThrow('got nonsense');
  });

  it('is no folder, and nothing that never ends', async () => {
    await expect(loadSourceOf({ kind: 'file', path: folder }).read()).rejects.toThrow('is no file');
    const path = '/dev/zero';
    await expect(loadSourceOf({ kind: 'file', path }).read()).rejects.toThrow('is no file');
  });

  it('is a command, run anew each time', async () => {
    const source = command(`echo x >> '${folder}/runs'; wc -l < '${folder}/runs'`);
    expect(await source.read()).toEqual({ currentTasks: 1, taskIds: null });
    expect(await source.read()).toEqual({ currentTasks: 2, taskIds: null });
  });

  it.each([
    ['fails', 'echo broken >&2; exit 3', 'the command ended with exit code 3: broken'],
    ['is killed', 'kill -9 $$', 'the command ended by SIGKILL'],
    ['prints nonsense', 'echo many', 'got many'],
    ['prints nothing', 'true', 'got nothing'],
  ])('is no command that %s', async (_name, script, reason) => {
    await expect(command(script).read()).rejects.toThrow(reason);
  });

  it('does not wait for a command that hangs, deaf to SIGTERM or not', async () => {
    const hanging = "trap '' TERM; while :; do sleep 0.05; done";
    await expect(command(hanging, 50).read()).rejects.toThrow('longer than 50 ms');
  });

  it('may be closed while it is read', async () => {
    const source = command('sleep 60');
    const reading = source.read();
    source.close();
    await expect(reading).rejects.toThrow('SIGKILL');
  });

  it('says so when there is no such program', async () => {
    const choice = { kind: 'command', argv: ['/nothing/there'], environment: {} } as const;
    await expect(loadSourceOf(choice).read()).rejects.toThrow('could not be started');
  });
});
