import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Task } from '../../src/core/task';
import { InstancesService } from '../../src/instances/instances.service';
import { JobSweeper } from '../../src/health/job-sweeper';
import { JobPlaces } from '../../src/ops/job-places';
import { JobsRig } from '../support/jobs-rig';
import { marked } from '../support/marked';
import { until } from '../support/until';

const LONG = 'echo ready; sleep 60';

describe('jobs of which something went wrong', () => {
  let rig: JobsRig;

  beforeEach(async () => {
    rig = await JobsRig.open();
    await rig.begin();
    await rig.host('h1');
  });

  afterEach(() => rig.close());

  const idOf = ({ attempts }: Task): string => String(attempts.at(-1)?.dispatchId);
  const fileOf = (task: Task, name: string): string =>
    join(rig.get(JobPlaces).attempts, idOf(task), name);

  async function running(retryLimit = 0): Promise<Task> {
    const task = await rig.submit({ command: LONG, retryLimit });
    await rig.wrote(task.id, 'ready');
    await rig.reached(task.id, 'running');
    return task;
  }

  it('are started when the scheduler was killed before it did so', async () => {
    const task = await rig.reserve({ command: 'echo ran' });
    await rig.end();
    await rig.begin();
    expect(await rig.reached(task.id, 'succeeded')).toMatchObject({ attempt_no: 1 });
    expect(rig.logOf(task.id)).toBe('ran\n');
  });

  it('never start that were stopped before the scheduler was killed', async () => {
    const task = await rig.reserve({ command: 'echo ran' });
    expect(task.state).toBe('dispatching');
    await rig.lifecycle.stop(task, 'cancelled', 'asked');
    expect((await rig.row(task.id)).state).toBe('stopping');
    await rig.end();
    await rig.begin();
    await rig.reached(task.id, 'cancelled');
    expect(rig.logOf(task.id)).toBe('');
    expect(existsSync(fileOf(task, 'go'))).toBe(true);
  });

  it('are tried again when their supervisor was killed, and nothing of them is left', async () => {
    const task = await running(1);
    const first = idOf(task);
    const [pid] = readFileSync(fileOf(task, 'id'), 'utf8').split(' ');
    process.kill(Number(pid), 'SIGKILL');
    await until(() => task.attemptNo === 2, 'the second attempt');
    expect(await marked(first)).toBe(0);
    expect(await rig.story(task.id)).toContain('requeued');
    await rig.lifecycle.stop(task, 'cancelled', 'enough');
    expect(await rig.reached(task.id, 'cancelled')).toMatchObject({ retries: 1 });
  });

  it('have failed when what their host knew of them is gone', async () => {
    const task = await running();
    rmSync(rig.get(JobPlaces).attempts, { recursive: true });
    expect(await rig.reached(task.id, 'failed')).toMatchObject({
      failure_kind: 'lost',
      failure_message: 'its end is unknown: its host knows nothing of it any more',
    });
    expect(await marked(idOf(task))).toBe(0);
  });

  it('have failed when their host was started anew', async () => {
    const task = await running();
    writeFileSync(fileOf(task, 'id'), `1 1 another-boot\n`);
    expect(await rig.reached(task.id, 'failed')).toMatchObject({ failure_kind: 'lost' });
    await until(async () => (await marked(idOf(task))) === 0, 'the end of its processes');
  });

  it('have failed when their command could not be started', async () => {
    const { id } = await rig.submit({ command: 'true', workdir: '/proc/nowhere' });
    expect(await rig.reached(id, 'failed')).toMatchObject({
      failure_kind: 'start_error',
      failure_message: expect.stringContaining('/proc/nowhere'),
      result: null,
    });
  });

  it('that were given up end at last, and the record stays as it is', async () => {
    const task = await running();
    const held = rig.fleet.held(task.attempts[0]!)!;
    await rig.lifecycle.lost(held, 'silent');
    await rig.reached(task.id, 'failed');
    // The watcher may be there before, but need not: the job has left memory.
    await rig.query(`UPDATE attempts SET ended_at = ended_at - interval '1 hour'`);
    await until(async () => {
      await rig.get(JobSweeper).sweep();
      return !existsSync(fileOf(task, ''));
    }, 'its folder being gone');
    await until(async () => (await marked(idOf(task))) === 0, 'the end of its processes');
    expect(await rig.row(task.id)).toMatchObject({ state: 'failed', failure_kind: 'lost' });
  });

  it('that were given up and are tried elsewhere end where they were', async () => {
    const task = await running(1);
    const first = idOf(task);
    await rig.lifecycle.lost(rig.fleet.held(task.attempts[0]!)!, 'silent');
    await until(async () => (await marked(first)) === 0, 'the end of the first attempt');
    await until(() => task.state === 'running' && task.attemptNo === 2, 'the second attempt');
    await rig.lifecycle.stop(task, 'cancelled', 'enough');
    await rig.reached(task.id, 'cancelled');
  });

  it('leave nothing behind', async () => {
    const { id, attempts } = await rig.submit({ command: '(setsid sleep 60 &); echo done' });
    expect(await rig.reached(id, 'succeeded')).toMatchObject({ result: { exit_code: 0 } });
    expect(await marked(attempts[0]!.dispatchId)).toBe(0);
    await until(
      () => !existsSync(join(rig.get(JobPlaces).attempts, attempts[0]!.dispatchId)),
      'tidying up',
    );
  });
});

describe('hosts behind a prefix', () => {
  let rig: JobsRig;
  let down: string;
  let way: string;

  beforeEach(async () => {
    rig = await JobsRig.open({
      FORESAIL_HOST_PROBE_MS: '100',
      FORESAIL_HOST_OFFLINE_MS: '600',
      FORESAIL_HOST_LOST_MS: '3000',
      FORESAIL_EXECUTOR_PREFIXES: '/bin/sh *',
    });
    // Stands for ssh: what is to be run there is its last argument.
    down = rig.file('down');
    way = rig.file('way');
    writeFileSync(way, `[ ! -e ${down} ] || exit 255; exec /bin/sh -c "$1"\n`);
    await rig.begin();
    await rig.host('far', 2, `/bin/sh ${way}`);
  });

  afterEach(() => rig.close());

  const health = (): string | undefined => [...rig.fleet.instances.values()][0]?.health;

  it('stay online by themselves, and run jobs', async () => {
    const seen = [...rig.fleet.instances.values()][0]!.lastContact;
    const { id } = await rig.submit({ command: 'echo far; exit 4' });
    expect(await rig.reached(id, 'failed')).toMatchObject({ result: { exit_code: 4 } });
    expect(rig.logOf(id)).toBe('far\n');
    await until(() => [...rig.fleet.instances.values()][0]!.lastContact > seen + 600, 'contact');
    expect(health()).toBe('online');
  });

  it('refuse to let a job stand still', async () => {
    const task = await rig.submit({ command: LONG });
    await rig.reached(task.id, 'running');
    await expect(rig.lifecycle.pause(task, null)).rejects.toMatchObject({
      code: 'forbidden_transition',
      message: `job ${task.id} cannot be paused: its host far is reached through a prefix`,
    });
    await rig.lifecycle.stop(task, 'cancelled', 'asked');
    await rig.reached(task.id, 'cancelled');
  });

  it('may be away for a while without any harm', async () => {
    const gate = rig.file('gate');
    const task = await rig.submit({ command: `until [ -e ${gate} ]; do sleep 0.05; done; exit 6` });
    await rig.reached(task.id, 'running');
    writeFileSync(down, '');
    await until(() => health() === 'suspect', 'its being suspect');
    writeFileSync(gate, '');
    rmSync(down);
    expect(await rig.reached(task.id, 'failed')).toMatchObject({ result: { exit_code: 6 } });
    expect(health()).toBe('online');
  });

  it('have their jobs given up when they stay away, and ended when they come back', async () => {
    const task = await rig.submit({ command: LONG });
    await rig.reached(task.id, 'running');
    const { dispatchId } = task.attempts[0]!;
    writeFileSync(down, '');
    expect(await rig.reached(task.id, 'failed')).toMatchObject({
      failure_kind: 'lost',
      failure_message: expect.stringContaining('host far has been silent for'),
    });
    expect(health()).toBe('lost');
    expect(await marked(dispatchId)).toBeGreaterThan(0);
    rmSync(down);
    await until(() => health() === 'online', 'its return');
    await rig.query(`UPDATE attempts SET ended_at = ended_at - interval '1 hour'`);
    await rig.get(JobSweeper).sweep();
    await until(async () => (await marked(dispatchId)) === 0, 'the end of its processes');
  });

  it('leave service with nothing in doubt, and their jobs go elsewhere', async () => {
    const second = rig.file('second');
    const task = await rig.submit({
      command: `[ -e ${second} ] && exit 0; ${LONG}`,
      retryLimit: 1,
    });
    await rig.reached(task.id, 'running');
    const instances = rig.get(InstancesService);
    const refused = (why: string): Promise<void> =>
      expect(instances.retire('far')).rejects.toMatchObject({
        code: 'forbidden_transition',
        message: expect.stringContaining(why),
      });
    await refused('far stays: no operator has drained it');
    await instances.askToDrain('far', true);
    await refused('tasks that are not over (1)');
    writeFileSync(second, '');
    writeFileSync(down, '');
    await rig.reached(task.id, 'queued');
    const retired = instances.retire('far');
    const late = instances.askToDrain('far', false);
    await expect(late).rejects.toMatchObject({ code: 'unknown_instance' });
    const { id } = await retired;
    expect(rig.fleet.instances.has(id)).toBe(false);
    await rig.host('near');
    expect(await rig.reached(task.id, 'succeeded')).toMatchObject({ retries: 1, attempt_no: 2 });
  });

  it('are reached by no other way while they have jobs, nor by one that is not allowed', async () => {
    const task = await rig.submit({ command: LONG });
    await rig.reached(task.id, 'running');
    await expect(rig.host('far', 2, '')).rejects.toMatchObject({ code: 'forbidden_transition' });
    await expect(rig.host('far', 2, 'ssh -oProxyCommand=id h')).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'executor_prefix: "ssh -oProxyCommand=id h" is not in FORESAIL_EXECUTOR_PREFIXES',
    });
    expect((await rig.host('far', 5, `/bin/sh ${way}`)).slots).toBe(5);
    await rig.lifecycle.stop(task, 'cancelled', 'asked');
    await rig.reached(task.id, 'cancelled');
    expect((await rig.host('far', 2, '')).traits.executorPrefix).toBe('');
  });
});
