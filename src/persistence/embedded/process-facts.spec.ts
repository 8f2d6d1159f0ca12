import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import os from 'node:os';
import { inspectProcess, parseProcStat, parsePs } from './process-facts';

const STAT = '4766 (%s) %s 1 4766 4766 0 -1 4194304 4053 301 0 0 0 1 0 0 20 0 1 0 139328 227344384';

const statLine = (command: string, state: string): string =>
  STAT.replace('%s', command).replace('%s', state);

describe('parseProcStat', () => {
  it('reads the name and the start time', () => {
    expect(parseProcStat(statLine('postgres', 'S'))).toEqual({
      command: 'postgres',
      startedAt: '139328',
    });
  });

  it('is not misled by brackets and spaces in the name', () => {
    expect(parseProcStat(statLine('a) Z (b', 'R'))).toEqual({
      command: 'a) Z (b',
      startedAt: '139328',
    });
  });

  it.each(['Z', 'X'])('takes state %s for dead', (state) => {
    expect(parseProcStat(statLine('postgres', state))).toBeUndefined();
  });
});

describe('parsePs', () => {
  it('reads state, start time and name', () => {
    expect(parsePs('Ss   Fri Nov 21 10:26:21 2025 /opt/my pg/bin/postgres\n')).toEqual({
      command: 'postgres',
      startedAt: 'Fri-Nov-21-10:26:21-2025',
      cwd: undefined,
    });
  });

  it('takes a zombie, and an empty answer, for dead', () => {
    expect(parsePs('Z+   Fri Nov 21 10:26:21 2025 (postgres)\n')).toBeUndefined();
    expect(parsePs('\n')).toBeUndefined();
  });
});

describe('inspectProcess', () => {
  it('knows this process, and tells it from another', async () => {
    const own = await inspectProcess(process.pid);
    const again = await inspectProcess(process.pid);
    const parent = await inspectProcess(process.ppid);
    expect(own).toEqual(again);
    expect(own).toBeDefined();
    expect(own?.startedAt).not.toBe(parent?.startedAt);
  });

  it('knows where a process works, until it has ended', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { cwd: os.tmpdir() });
    await once(child, 'spawn');
    const { pid = 0 } = child;
    const facts = await inspectProcess(pid);
    // Only Linux tells.
    const directory = process.platform === 'linux' ? await realpath(os.tmpdir()) : undefined;
    expect(facts?.cwd).toBe(directory);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await inspectProcess(pid)).toBeUndefined();
  });
});
