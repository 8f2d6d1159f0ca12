import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isCertainlyDead, ownIdentity } from './process-identity';

describe('the identity of a process', () => {
  it('names the machine, its start and the process, and is new every time', async () => {
    const [one, two] = await Promise.all([ownIdentity(), ownIdentity()]);
    expect(one).toEqual({ ...two, holder: one.holder });
    expect(one.holder).not.toBe(two.holder);
    expect(one.pid).toBe(process.pid);
    expect(one.machine).not.toBe('');
    expect(one.bootId).not.toBe('');
  });

  it('is that of a living process', async () => {
    const own = await ownIdentity();
    expect(await isCertainlyDead(own, own)).toBe(false);
  });

  it('is certainly dead only on this machine, since its last start', async () => {
    const child = spawn(process.execPath, ['--version']);
    const { pid = 0 } = child;
    await once(child, 'exit');
    const own = await ownIdentity();
    const dead = { ...own, pid, pidStarted: '1' };
    expect(await isCertainlyDead(dead, own)).toBe(true);
    expect(await isCertainlyDead({ ...dead, machine: 'other' }, own)).toBe(false);
    expect(await isCertainlyDead({ ...dead, bootId: 'other' }, own)).toBe(false);
  });
});
