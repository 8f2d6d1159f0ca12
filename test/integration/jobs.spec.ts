import { writeFileSync } from 'node:fs';
import { JobLogs } from '../../src/instances/job-logs';
import { JobsRig } from '../support/jobs-rig';
import { marked } from '../support/marked';
import { until } from '../support/until';

describe('jobs on this machine', () => {
  let rig: JobsRig;

  beforeEach(async () => {
    rig = await JobsRig.open({ FORESAIL_LOG_BYTES: '8192' });
    await rig.begin();
    await rig.host('h1');
  });

  afterEach(() => rig.close());

  it('run to their end, and their exit codes are recorded', async () => {
    const good = await rig.submit({
      command: 'echo "$GREETING from $TASK_ID"',
      env: { GREETING: 'hi' },
    });
    const bad = await rig.submit({ command: 'exit 7' });
    expect(await rig.reached(good.id, 'succeeded')).toMatchObject({ result: { exit_code: 0 } });
    expect(await rig.reached(bad.id, 'failed')).toMatchObject({
      result: { exit_code: 7 },
      failure_kind: 'exit',
      failure_message: 'exited with 7',
    });
    expect(rig.logOf(good.id)).toBe(`hi from ${good.id}\n`);
    expect(await rig.story(good.id)).toEqual([
      'submitted',
      'reserved',
      'dispatched',
      'running',
      'succeeded',
    ]);
  });

  it('have logs of which the head and the tail are kept', async () => {
    const flood = 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done';
    const { id } = await rig.submit({ command: flood });
    await rig.reached(id, 'succeeded');
    const isCut = (log: string): boolean =>
      log.length < 8_192 && log.startsWith('line 0\n') && log.endsWith('\nline 19999\n');
    await until(() => isCut(rig.logOf(id)), 'a log that is short again');
    expect(rig.logOf(id)).toContain(' bytes left out]');
    const [host] = rig.fleet.instances.keys();
    expect(await rig.get(JobLogs).lastLines({ id, instanceId: host ?? null }, 2)).toEqual([
      'line 19998',
      'line 19999',
    ]);
    expect(await rig.get(JobLogs).lastLines({ id, instanceId: null }, 2)).toEqual([]);
  });

  it('are tried again as often as they may', async () => {
    const file = rig.file('tries');
    const { id } = await rig.submit({ command: `echo x >>${file}; exit 3`, retryLimit: 2 });
    expect(await rig.reached(id, 'failed')).toMatchObject({ retries: 2, attempt_no: 3 });
    const lucky = await rig.submit({
      command: `[ -e ${file}2 ] || { : >${file}2; exit 1; }`,
      retryLimit: 1,
    });
    expect(await rig.reached(lucky.id, 'succeeded')).toMatchObject({ retries: 1 });
  });

  it('outlive the scheduler, and their ends are recorded by the next one', async () => {
    const gate = rig.file('gate');
    const wait = `echo ready; until [ -e ${gate} ]; do sleep 0.05; done; exit 5`;
    const running = await rig.submit({ command: wait });
    const ended = await rig.submit({ command: wait });
    await rig.wrote(running.id, 'ready');
    await rig.wrote(ended.id, 'ready');
    await rig.end();
    await rig.begin();
    expect(rig.fleet.tasks.get(running.id)?.job).toEqual(running.job);
    expect(rig.fleet.tasks.get(running.id)?.attemptTimeoutMs).toBe(Infinity);
    const [host] = rig.fleet.instances.values();
    expect(host).toMatchObject({
      kind: 'host',
      capacity: { slots: 2, cpu: 2, memoryGb: 4 },
      traits: { labels: { rack: 'h1' }, executorPrefix: '' },
    });
    expect(await marked(running.attempts[0]!.dispatchId)).toBeGreaterThan(0);
    writeFileSync(gate, '');
    for (const { id } of [running, ended]) {
      expect(await rig.reached(id, 'failed')).toMatchObject({
        result: { exit_code: 5 },
        attempt_no: 1,
      });
    }
    await until(
      async () => (await marked(running.attempts[0]!.dispatchId)) === 0,
      'no process left',
    );
  });

  it('end when they are stopped, whatever they do', async () => {
    const deaf = `trap '' TERM; (setsid sh -c 'trap "" TERM; while :; do sleep 1; done' &)
      (sleep 61 &); echo ready; while :; do sleep 1; done`;
    const task = await rig.submit({ command: deaf, retryLimit: 3 });
    const waiting = await rig.submit({
      command: 'true',
      draft: { demand: { ...task.demand, slots: 1 } },
    });
    await rig.wrote(task.id, 'ready');
    await rig.reached(task.id, 'running');
    expect(await rig.lifecycle.stop(task, 'cancelled', 'asked', 'ada')).toBe(true);
    expect((await rig.row(task.id)).state).toBe('stopping');
    expect(await rig.reached(task.id, 'cancelled')).toMatchObject({ retries: 0 });
    expect(await marked(task.attempts[0]!.dispatchId)).toBe(0);
    await rig.reached(waiting.id, 'succeeded');
  });

  it('end when their time is over', async () => {
    const task = await rig.submit({
      command: 'sleep 60',
      draft: { attemptTimeoutMs: 500 },
      retryLimit: 2,
    });
    expect(await rig.reached(task.id, 'timed_out')).toMatchObject({ retries: 0 });
    expect(await marked(task.attempts[0]!.dispatchId)).toBe(0);
  });

  it('stand still over a restart, and go on', async () => {
    const gate = rig.file('gate');
    const task = await rig.submit({
      command: `echo ready; until [ -e ${gate} ]; do sleep 0.05; done; echo through`,
    });
    await rig.wrote(task.id, 'ready');
    await rig.reached(task.id, 'running');
    expect(await rig.lifecycle.pause(task, 'ada')).toBe(true);
    const isStill = async (): Promise<boolean> =>
      (await marked(task.attempts[0]!.dispatchId, 'T')) >= 1;
    await until(isStill, 'a job that stands still');
    await rig.end();
    writeFileSync(gate, '');
    await rig.begin();
    const again = rig.fleet.tasks.get(task.id)!;
    expect([again.state, await isStill()]).toEqual(['paused', true]);
    expect(rig.logOf(task.id)).toBe('ready\n');
    expect(await rig.lifecycle.resume(again, 'bob')).toBe(true);
    await rig.reached(task.id, 'succeeded');
    expect(rig.logOf(task.id)).toBe('ready\nthrough\n');
    expect(await rig.story(task.id)).toEqual([
      'submitted',
      'reserved',
      'dispatched',
      'running',
      'paused',
      'resumed',
      'succeeded',
    ]);
  });

  it('that are stopped while they stand still hear of it', async () => {
    const task = await rig.submit({
      command: `trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done`,
    });
    await rig.wrote(task.id, 'ready');
    await rig.reached(task.id, 'running');
    await rig.lifecycle.pause(task, null);
    await until(
      async () => (await marked(task.attempts[0]!.dispatchId, 'T')) >= 1,
      'standing still',
    );
    await rig.lifecycle.stop(task, 'cancelled', 'asked');
    expect(await rig.reached(task.id, 'cancelled')).toMatchObject({ result: { exit_code: 0 } });
    expect(rig.logOf(task.id)).toContain('bye');
  });
});
