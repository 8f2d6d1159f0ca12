import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeScheduler } from '../support/fake-scheduler';
import { isAlive } from '../support/is-alive';
import { until } from '../support/until';
import { WorkerProcess } from '../support/worker-process';

// Starting a process may take seconds on a busy machine.
jest.setTimeout(60_000);

/** Waits for the file `go` in its folder, deaf to SIGTERM, with a child that is deaf as well. */
const DEAF = `
  trap '' TERM
  (trap '' TERM; while :; do sleep 0.05; done) &
  echo "$$ $!" > "$1/$TASK_ID"
  until [ -e "$1/go" ]; do sleep 0.05; done
  cat
`;

describe('foresail worker --engine command', () => {
  let folder: string;
  let scheduler: FakeScheduler;
  let worker: WorkerProcess;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-worker-'));
    scheduler = await FakeScheduler.start();
  });

  afterEach(async () => {
    worker.kill('SIGKILL');
    await worker.ended();
    await scheduler.goDown();
    await rm(folder, { recursive: true });
  });

  /** A worker with two replicas whose command is that script; `$1` is the folder. */
  async function start(script: string, ...flags: string[]): Promise<void> {
    const engine = ['--engine', 'command', ...flags, '--', 'sh', '-c', script, 'sh', folder];
    worker = await WorkerProcess.start('--scheduler', scheduler.url, '--replicas', '2', ...engine);
  }

  async function enqueue(n: number): Promise<void> {
    const metadata = { task_id: `t${n}`, dispatch_id: `d${n}` };
    const { status } = await worker.post('/queue/enqueue', { input_data: { n }, metadata });
    expect(status).toBe(200);
  }

  /** Ids of the processes of that task, once they run. */
  async function pidsOf(n: number): Promise<number[]> {
    const path = join(folder, `t${n}`);
    const text = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    await until(() => text().endsWith('\n'), `task ${n} to run`);
    return text().trim().split(' ').map(Number);
  }

  const reports = () => scheduler.bodies('/result/submit');

  it('executes, and reports results and failures', async () => {
    await start('echo "$TASK_ID $TASK_DISPATCH_ID" >&2; cat; [ "$TASK_ID" = t1 ]');
    await enqueue(1);
    await enqueue(2);
    await until(() => reports().length === 2, 'both reports');
    const of = (n: number) =>
      reports().find(({ metadata }) => (metadata as { task_id: string }).task_id === `t${n}`);

    expect(of(1)).toMatchObject({ result: { n: 1 } });
    expect(of(2)).toMatchObject({
      result: {
        error: 'the command ended with exit code 1; last lines of its standard error:\nt2 d2',
      },
    });
  });

  it('lets commands end when it drains', async () => {
    await start(DEAF);
    await enqueue(1);
    const pids = await pidsOf(1);
    worker.kill('SIGTERM');
    await until(() => scheduler.bodies('/ti/remove').length === 1, 'the drain');
    expect(pids.every(isAlive)).toBe(true);
    await writeFile(join(folder, 'go'), '');

    expect(await worker.ended()).toEqual({ code: 0, signal: null });
    expect(reports()).toMatchObject([{ result: { n: 1 } }]);
    await until(() => !pids.some(isAlive), 'the end of its processes');
  });

  it('kills them all when the time to drain is over', async () => {
    await start(DEAF, '--drain-timeout', '0.1');
    await enqueue(1);
    await enqueue(2);
    const pids = [...(await pidsOf(1)), ...(await pidsOf(2))];
    worker.kill('SIGTERM');

    expect(await worker.ended()).toEqual({ code: 0, signal: null });
    await until(() => !pids.some(isAlive), 'the end of all processes');
    expect(reports()).toEqual([]);
  });

  it('kills them all on a second signal', async () => {
    await start(DEAF);
    await enqueue(1);
    const pids = await pidsOf(1);
    worker.kill('SIGTERM');
    await until(() => scheduler.bodies('/ti/remove').length === 1, 'the drain');
    // What comes at once is an echo of the first one.
    await until(() => {
      worker.kill('SIGTERM');
      return worker.hasEnded;
    }, 'the end by a second signal');

    expect(await worker.ended()).toEqual({ code: 143, signal: null });
    await until(() => !pids.some(isAlive), 'the end of all processes');
  });
});
