import { existsSync, readFileSync, statSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { commandsIn } from '../../test/support/commands';
import { removeScratch, scratchDirectory } from '../../test/support/scratch';
import { until } from '../../test/support/until';
import { loadConfig } from '../config/load-config';
import { dispatchId, taskId } from '../core/units';
import { JobPlaces } from '../ops/job-places';
import { systemIds } from '../ops/system';
import type { StartRequest, StartResult, Target } from './executor';
import { HostExecutor } from './host.executor';
import { JobHosts } from './job-hosts';
import { jobUserOf } from './job-user';

const HERE: Target = {
  kind: 'host',
  host: 'h1',
  port: 0,
  protocol: 'enqueue',
  traits: { labels: {}, executorPrefix: '' },
};

describe('HostExecutor', () => {
  let folder: string;
  let env: Record<string, string>;

  beforeEach(async () => {
    folder = await scratchDirectory();
    await chmod(folder, 0o777);
    env = commandsIn(folder);
  });

  afterEach(() => removeScratch(folder));

  async function executorWith(more: Record<string, string> = {}) {
    const config = loadConfig({ env: { ...env, ...more } });
    const places = new JobPlaces(config);
    const user = await jobUserOf(config.commands, places.roots[0]);
    const hosts = new JobHosts(config.commands, places, user);
    hosts.onModuleInit();
    return { executor: new HostExecutor(hosts, places), hosts, places, user };
  }

  function requestOf(command: string, more: object = {}): StartRequest {
    return {
      taskId: taskId(systemIds.next()),
      dispatchId: dispatchId(systemIds.next()),
      queueName: 'default',
      taskInput: JSON.stringify({ command, workdir: '.', env: {}, ...more }),
      metadata: '{}',
    };
  }

  const at = (executorPrefix: string): Target => ({
    ...HERE,
    traits: { labels: {}, executorPrefix },
  });

  it('starts a command as its account, with a short environment and its own', async () => {
    process.env['SECRET_OF_A_TEST'] = 'x';
    const { executor, places, user } = await executorWith();
    const request = requestOf('id -u; env; pwd', { env: { MINE: '1' } });
    expect(await executor.start(HERE, request)).toEqual({
      kind: 'accepted',
      remoteId: request.dispatchId,
    });
    const log = places.logPath(request.taskId);
    const workdir = places.workdirOf(request.taskId, '.');
    await until(
      () => existsSync(log) && readFileSync(log, 'utf8').includes(`\n${workdir}\n`),
      'log',
    );
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    const uid = user?.uid ?? process.getuid?.();
    expect(lines[0]).toBe(String(uid));
    expect(statSync(workdir).uid).toBe(uid);
    const names = lines.slice(1, -1).map((line) => line.split('=')[0]);
    expect(names).toEqual(expect.arrayContaining(['MINE', 'TASK_ID', 'TASK_DISPATCH_ID', 'PATH']));
    expect(names).not.toContain('SECRET_OF_A_TEST');
    expect(names.filter((name) => name?.startsWith('FORESAIL_'))).toEqual([]);
    if (user) expect(lines).toEqual(expect.arrayContaining([`USER=${user.name}`]));
    delete process.env['SECRET_OF_A_TEST'];
  });

  it('starts nothing, and reads nothing, while commands are off', async () => {
    const { executor, hosts } = await executorWith({ FORESAIL_COMMANDS: 'off' });
    expect(await executor.start(HERE, requestOf('true'))).toMatchObject({
      kind: 'refused',
      because: 'unwanted',
      reason: 'commands are switched off (FORESAIL_COMMANDS)',
    });
    expect(() => hosts.at('')).toThrow('commands are switched off (FORESAIL_COMMANDS)');
  });

  it('knows what certainly was not started from what may have been', async () => {
    const { executor } = await executorWith({
      FORESAIL_EXECUTOR_PREFIXES: "/bin/sh -c 'exit 255'\n/bin/false",
    });
    const start = (prefix: string): Promise<StartResult> =>
      executor.start(at(prefix), requestOf('true'));
    expect(await start("/bin/sh -c 'exit 255'")).toMatchObject({ kind: 'unknown' });
    expect(await start('/bin/false')).toMatchObject({ kind: 'refused', because: 'unwanted' });
    expect(await start('ssh elsewhere')).toMatchObject({
      kind: 'refused',
      reason: 'executor_prefix: "ssh elsewhere" is not in FORESAIL_EXECUTOR_PREFIXES',
    });
  });

  it('starts few at a time, and all of them', async () => {
    const { executor, hosts } = await executorWith();
    const requests = Array.from({ length: 30 }, () => requestOf('true'));
    const results = await Promise.all(requests.map((one) => executor.start(HERE, one)));
    expect(results.filter(({ kind }) => kind === 'accepted')).toHaveLength(30);
    const ids = requests.map(({ dispatchId: id }) => id);
    const hasEnded = async (): Promise<boolean> => {
      const reports = [...(await hosts.at('').states(ids)).values()];
      return reports.filter(({ state }) => state.kind === 'exited').length === 30;
    };
    await until(hasEnded, 'the end of all');
  });
});

describe('JobHosts', () => {
  it('refuses a prefix with a quote that is not closed, and takes none for this machine', () => {
    const config = loadConfig({ env: {} });
    const hosts = new JobHosts(config.commands, new JobPlaces(config), undefined);
    expect(() => hosts.argumentsOf(`ssh 'h`)).toThrow('has a quote that is not closed');
    expect(hosts.argumentsOf('  ')).toEqual([]);
  });
});
