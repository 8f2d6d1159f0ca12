import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliRun, runCli } from '../support/cli-run';
import { FakeScheduler } from '../support/fake-scheduler';
import { until } from '../support/until';

// Starting a process may take seconds on a busy machine.
jest.setTimeout(60_000);

const BEAT = '/api/v1/heartbeat';
const WORKER = ['--id', 'w', '--addr', '10.0.0.5:9000', '--max-tasks', '8', '--interval', '0.1'];

describe('foresail agent', () => {
  let scheduler: FakeScheduler;
  let folder: string;
  let agent: CliRun | undefined;

  beforeEach(async () => {
    scheduler = await FakeScheduler.start();
    folder = await mkdtemp(join(tmpdir(), 'foresail-agent-'));
  });
  afterEach(async () => {
    agent?.child.kill('SIGKILL');
    await agent?.end;
    await scheduler.goDown();
    await rm(folder, { recursive: true });
  });

  function start(...flags: string[]): CliRun {
    const env = { FORESAIL_URL: scheduler.url, FORESAIL_KEY: 'secret' };
    agent = CliRun.start(['agent', ...flags], { env });
    return agent;
  }
  const beats = (): Readonly<Record<string, unknown>>[] => scheduler.bodies(BEAT);
  const events = (run: CliRun): string[] =>
    run.err
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { event: string }).event);

  it('heartbeats, and says goodbye on SIGTERM', async () => {
    const run = start(...WORKER, '--tags', 'gpu', '--cpu', '4');
    await until(() => beats().length >= 2, 'two heartbeats');
    run.child.kill('SIGTERM');
    expect(await run.end).toMatchObject({ code: 0, out: '' });
    const [first] = beats();
    expect(first).toEqual({
      worker_id: 'w',
      address: '10.0.0.5:9000',
      resource_tags: ['gpu'],
      max_tasks: 8,
      current_tasks: 0,
      timestamp: expect.any(Number),
      resources: { cpu: 4, memory_gb: 0, gpu_memory_gb: 0 },
    });
    expect(beats().at(-1)).toEqual({
      ...first,
      timestamp: expect.any(Number),
      leaving: true,
    });
    expect(beats().filter(({ leaving }) => leaving === true)).toHaveLength(1);
    const times = beats().map(({ timestamp }) => timestamp as number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(scheduler.calls[0]?.headers.authorization).toBe('Bearer secret');
    expect(events(run)).toEqual(['load_not_asked', 'joined', 'left']);
  });

  it('outlives its scheduler, with one line when it goes and one when it is back', async () => {
    const run = start(...WORKER, '--load-command', 'echo 1');
    await until(() => beats().length >= 1, 'a heartbeat');
    await scheduler.goDown();
    await until(() => run.err.includes('scheduler_away'), 'the loss to be noticed');
    await scheduler.comeUp();
    const before = beats().length;
    await until(() => beats().length >= before + 2, 'heartbeats after the return');
    run.child.kill('SIGINT');
    expect((await run.end).code).toBe(0);
    expect(events(run)).toEqual(['joined', 'scheduler_away', 'scheduler_back', 'left']);
  });

  it('waits for a scheduler that is not there yet, and stops also without it', async () => {
    await scheduler.goDown();
    const run = start(...WORKER, '--load-command', 'echo 1');
    await until(() => run.err.includes('scheduler_away'), 'the absence to be noticed');
    run.child.kill('SIGTERM');
    expect((await run.end).code).toBe(0);
    expect(events(run)).toEqual(['scheduler_away', 'left']);
  });

  it('reads its load from a file, anew each time', async () => {
    const path = join(folder, 'load.json');
    const write = async (text: string): Promise<void> => {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    };
    const last = (): object | undefined => beats().at(-1);
    const told = (expected: object, what: string): Promise<void> =>
      until(
        () =>
          Object.entries(expected).every(([name, value]) => {
            const said: unknown = Object.entries(last() ?? {}).find(([key]) => key === name)?.[1];
            return JSON.stringify(said) === JSON.stringify(value);
          }),
        what,
      );
    const run = start(...WORKER, '--load-file', path);
    await told({ current_tasks: 8 }, 'a full worker, of which nothing is known');
    await write('{"current_tasks":2,"task_ids":["a","b"]}');
    await told({ current_tasks: 2, task_ids: ['a', 'b'] }, 'two tasks by their ids');
    await write('3');
    await told({ current_tasks: 3, task_ids: undefined }, 'three tasks');
    await write('many');
    await told({ current_tasks: 8, task_ids: undefined }, 'a full worker again');
    run.child.kill('SIGTERM');
    await run.end;
    const expected = ['load_unknown', 'joined', 'load_read', 'load_unknown', 'left'];
    expect(events(run)).toEqual(expected);
  });

  it('does not wait for a command that hangs, nor for it at its end', async () => {
    const run = start(...WORKER, '--load-command', 'sleep 60');
    await until(() => beats().length >= 1, 'a heartbeat all the same');
    expect(beats()[0]).toMatchObject({ current_tasks: 8 });
    run.child.kill('SIGTERM');
    expect((await run.end).code).toBe(0);
  });

  it.each([
    [401, 'FORESAIL_KEY'],
    [400, 'worker_id must be something else'],
  ])('says why the scheduler answers %i, and ends with 2', async (status, reason) => {
    const error = 'worker_id must be something else';
    scheduler.answer = () => ({ status, body: { error } });
    const { code, err } = await start(...WORKER, '--load-command', 'echo 1').end;
    expect([code, beats().length]).toEqual([2, 1]);
    expect(err).toContain('error: the scheduler does not take w');
    expect(err).toContain(reason);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('registers a host of batch jobs, and again when it is not known any more', async () => {
    let isKnown = true;
    scheduler.answer = ({ path }) =>
      path.endsWith('/register') || isKnown
        ? { status: 200, body: { status: 200, message: 'success', data: {} } }
        : { status: 404, body: { status: 404, message: 'no host', data: {} } };
    const flags = ['--apr', '--id', 'h', '--max-tasks', '4', '--label', 'os=linux'];
    const run = start(...flags, '--interval', '0.1');
    const calls = (): string[] => scheduler.calls.map(({ path }) => path);
    const registrations = (): number => calls().filter((path) => path.endsWith('/register')).length;
    await until(() => calls().length >= 2, 'a heartbeat');
    expect(calls().slice(0, 2)).toEqual([
      '/scheduler/hosts/register',
      '/scheduler/hosts/h/heartbeat',
    ]);
    isKnown = false;
    await until(() => registrations() >= 2, 'another registration');
    run.child.kill('SIGTERM');
    expect((await run.end).code).toBe(0);
    expect(scheduler.bodies('/scheduler/hosts/register')[0]).toEqual({
      host_id: 'h',
      total_slots: 4,
      labels: { os: 'linux' },
    });
  });

  // What else is bad usage: the unit specs of its flags.
  it.each([
    ['a flag that every agent needs', ['--addr', 'a:1', '--max-tasks', '1'], '--id'],
    ['one that a worker needs', ['--id', 'w', '--max-tasks', '1'], '--addr is missing'],
  ])('ends with 2 when it misses %s', async (_name, flags, reason) => {
    const { code, err } = await runCli(['agent', ...flags]);
    expect([code, err]).toEqual([2, expect.stringContaining(reason)]);
  });
});
