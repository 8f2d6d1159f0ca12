import { heldOf, taskOf } from '../../test/support/builders';
import { lifecycleRig } from '../../test/support/lifecycle-rig';
import { loadConfig } from '../config/load-config';
import { HostJobs, type JobReport } from '../executors/processes/host-jobs';
import {
  HostShell,
  HostUnreachableError,
  type ShellAnswer,
} from '../executors/processes/host-shell';
import { PayloadCache } from '../tasks/payload-cache';
import { PayloadReader } from '../tasks/payload-reader';
import { JobKeeper } from './job-keeper';

const RUNNING: JobReport = { state: { kind: 'running' }, left: 0, stopped: false, paused: false };

/** Notes which signals arrived at a host that may be out of reach. */
class SignalShell extends HostShell {
  readonly arrived: string[] = [];
  isAway = false;

  constructor() {
    super({ prefix: [], environment: {}, timeoutMs: 1 });
  }

  override run(script: string): Promise<ShellAnswer> {
    if (this.isAway) return Promise.reject(new HostUnreachableError('away'));
    this.arrived.push(...(script.match(/'(?:TERM|KILL)'/g) ?? []));
    return Promise.resolve({ code: 0, output: '1\n', complaint: '' });
  }
}

describe('JobKeeper', () => {
  it('gives a job its whole grace from when it was told to end, however late that was', async () => {
    const { fleet, clock, lifecycle, doubts, tasks } = lifecycleRig();
    const { commands } = loadConfig({ env: {} });
    const payloads = new PayloadReader(new PayloadCache(), tasks);
    const executor = { start: () => Promise.reject(new Error('nothing is to be started')) };
    const keeper = new JobKeeper(fleet, lifecycle, doubts, payloads, executor, commands, clock);
    const shell = new SignalShell();
    const host = new HostJobs(shell, '/attempts', { openFiles: null, processes: null });
    const held = heldOf(taskOf({ kind: 'batch', state: 'stopping' }), { remoteId: 'r1' });
    shell.isAway = true;
    await expect(keeper.keep(held, RUNNING, host)).rejects.toThrow('away');
    shell.isAway = false;
    clock.advance(2 * commands.killGraceMs);
    await keeper.keep(held, RUNNING, host);
    clock.advance(commands.killGraceMs - 1);
    await keeper.keep(held, RUNNING, host);
    expect(shell.arrived).toEqual(["'TERM'"]);
    clock.advance(1);
    await keeper.keep(held, RUNNING, host);
    expect(shell.arrived).toEqual(["'TERM'", "'KILL'"]);
  });
});
