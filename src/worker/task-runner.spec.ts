import { FakeClock } from '../../test/support/fake-clock';
import { keptLog, ManualEngine, settled } from '../../test/support/worker-fakes';
import { SyncedLines, type LinesFile } from '../ops/synced-lines';
import type { LedgerEntry } from './ledger';
import type { Report } from './reporter';
import { TaskRunner, type ReportDesk, type RunnerLimits } from './task-runner';
import { taskJson } from './wire';
import { WorkerIdentity } from './worker-identity';
import type { JsonObject } from '../http/dto-fields';

/** Notes each write, sync and report in one list; a sync and a report end when the test says so. */
class Witness implements LinesFile, ReportDesk {
  readonly steps: string[] = [];
  readonly bodies: Record<string, unknown>[] = [];
  pending = 0;
  private endSyncs: ((error?: Error) => void)[] = [];
  private endReports: (() => void)[] = [];

  appendFile(text: string): Promise<void> {
    for (const line of text.trim().split('\n')) {
      this.steps.push(`write ${(JSON.parse(line) as LedgerEntry).dispatch_id ?? '-'}`);
    }
    return Promise.resolve();
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.endSyncs.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  deliver(report: Report): Promise<boolean> {
    this.steps.push('report');
    this.pending += 1;
    this.bodies.push(JSON.parse(report.body()) as Record<string, unknown>);
    return new Promise((resolve) => {
      this.endReports.push(() => {
        this.pending -= 1;
        resolve(true);
      });
    });
  }

  async synced(error?: Error): Promise<void> {
    this.steps.push('synced');
    for (const end of this.endSyncs.splice(0)) end(error);
    await settled();
  }

  async acknowledged(): Promise<void> {
    for (const end of this.endReports.splice(0)) end();
    await settled();
  }
}

function setUp(options: { replicas?: number; limits?: RunnerLimits } = {}) {
  const engine = new ManualEngine();
  const clock = new FakeClock();
  const witness = new Witness();
  const failures: unknown[] = [];
  const identity = new WorkerIdentity({ host: 'localhost', port: 1, model_name: 'm', id: 'w' });
  const runner = new TaskRunner(
    {
      identity,
      engine,
      clock,
      log: keptLog().log,
      ledger: new SyncedLines<LedgerEntry>(witness),
      reports: witness,
      ledgerFailed: (error) => failures.push(error),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    },
    options.replicas ?? 1,
  );
  const enqueue = (metadata: JsonObject, input: JsonObject = {}) =>
    runner.enqueue({ input, metadata, taskId: null, model: null });
  const shown = (remoteId: string): Record<string, unknown> => {
    const record = runner.find(remoteId);
    if (record === undefined) throw new Error(`${remoteId} is not known`);
    return JSON.parse(taskJson(record, clock.now())) as Record<string, unknown>;
  };
  return { runner, identity, engine, clock, witness, failures, enqueue, shown };
}

const attempt = (n: number, of = 't') => ({ task_id: of, dispatch_id: `d${n}` });

describe('TaskRunner', () => {
  it('shows and reports an execution only after its line in the ledger is synced', async () => {
    const { engine, witness, clock, enqueue, shown } = setUp();
    const { remoteId } = enqueue(attempt(1));
    clock.advance(40);
    await engine.end('t', { ok: true, result: { text: 'hello' } });

    expect(witness.steps).toEqual(['write d1']);
    expect(shown(remoteId)['status']).toBe('running');
    await witness.synced();
    expect(witness.steps).toEqual(['write d1', 'synced', 'report']);
    expect(shown(remoteId)).toEqual({
      task_id: remoteId,
      result: { text: 'hello' },
      status: 'completed',
      error: null,
      enqueue_time: 1_700_000_000,
      completion_time: 1_700_000_000.04,
      wait_time: 0,
      execution_time: 40,
      total_time: 40,
      dispatch_id: 'd1',
    });
    expect(witness.bodies).toEqual([
      {
        task_id: remoteId,
        instance_id: 'w',
        execution_time: 40,
        result: { text: 'hello' },
        metadata: { task_id: 't', dispatch_id: 'd1' },
        replica_id: 'replica-1',
      },
    ]);
  });

  it('reports a failure as result.error, and shows it as failed', async () => {
    const { engine, witness, enqueue, shown } = setUp();
    const { remoteId } = enqueue(attempt(1));
    await engine.end('t', { ok: false, error: 'out of memory' });
    await witness.synced();

    expect(witness.bodies[0]?.['result']).toEqual({ error: 'out of memory' });
    expect(shown(remoteId)).toMatchObject({
      status: 'failed',
      result: null,
      error: 'out of memory',
    });
  });

  it('reads a result that is nothing but an error as the scheduler does: as a failure', async () => {
    const { engine, witness, enqueue, shown } = setUp();
    const { remoteId } = enqueue(attempt(1));
    await engine.end('t', { ok: true, result: { error: 'no such voice' } });
    await witness.synced();

    expect(shown(remoteId)).toMatchObject({ status: 'failed', error: 'no such voice' });
    expect(witness.bodies[0]?.['result']).toEqual({ error: 'no such voice' });
  });

  it('fails a task whose result no report can carry', async () => {
    const { engine, witness, enqueue } = setUp();
    let deep: JsonObject = {};
    for (let n = 0; n < 63; n += 1) deep = { deep };
    enqueue(attempt(1));
    await engine.end('t', { ok: true, result: deep });
    await witness.synced();

    expect(witness.bodies[0]?.['result']).toEqual({
      error: expect.stringContaining('the result cannot be reported: nesting deeper than 64'),
    });
  });

  it('puts into the report what the engine knows of the execution', async () => {
    const { engine, witness, enqueue } = setUp();
    enqueue(attempt(1));
    const facts = { input_tokens: 7, output_tokens: 20 };
    await engine.end('t', { ok: true, result: {}, facts });
    await witness.synced();

    expect(witness.bodies[0]?.['metadata']).toEqual({ ...facts, ...attempt(1) });
  });

  it('has no usable replica, and takes nothing, during an outage of its engine', () => {
    const { runner, engine, enqueue } = setUp({ replicas: 2 });
    engine.outage = 'the upstream does not answer';

    expect([runner.replicas, runner.usableReplicas]).toEqual([2, 0]);
    expect(() => enqueue(attempt(1))).toThrow(
      expect.objectContaining({
        code: 'no_capacity',
        message: 'worker w can execute nothing: the upstream does not answer',
      }),
    );
    engine.outage = null;
    enqueue(attempt(1));
    expect(runner.usableReplicas).toBe(2);
  });

  it('tells nobody of an execution that the ledger could not keep', async () => {
    const { engine, witness, failures, enqueue, shown } = setUp();
    const { remoteId } = enqueue(attempt(1));
    await engine.end('t');
    const error = new Error('no space left');
    await witness.synced(error);

    expect(failures).toEqual([error]);
    expect(witness.steps).not.toContain('report');
    expect(shown(remoteId)['status']).toBe('running');
  });

  it('answers a repeated attempt as the first time and runs it once, at any stage', async () => {
    const { runner, engine, witness, enqueue } = setUp();
    enqueue(attempt(0, 'other'));
    const first = enqueue(attempt(1));
    expect(enqueue(attempt(1))).toEqual(first);
    await engine.end('other');
    expect(enqueue(attempt(1))).toEqual(first);
    await engine.end('t');
    await witness.synced();
    await witness.synced();
    expect(enqueue(attempt(1))).toEqual(first);
    runner.drain();
    expect(enqueue(attempt(1))).toEqual(first);

    expect(engine.running).toEqual([]);
    expect(witness.bodies).toHaveLength(2);
    expect(first.queueSize).toBe(1);
  });

  it('runs a new attempt of the same task again, under another id', async () => {
    const { engine, witness, enqueue } = setUp();
    const first = enqueue(attempt(1));
    await engine.end('t');
    await witness.synced();
    const second = enqueue(attempt(2));
    await engine.end('t');
    await witness.synced();

    expect(second.remoteId).not.toBe(first.remoteId);
    expect(witness.bodies.map((body) => body['metadata'])).toEqual([attempt(1), attempt(2)]);
  });

  it('does not dedupe tasks without a dispatch id', () => {
    const { enqueue } = setUp();
    const ids = [enqueue({}), enqueue({}), enqueue({ task_id: 't' }), enqueue({ task_id: 't' })];

    expect(new Set(ids.map((receipt) => receipt.remoteId)).size).toBe(4);
  });

  it('is done when nothing runs, waits to be written, or waits to be reported', async () => {
    const { runner, engine, witness, enqueue } = setUp();
    enqueue(attempt(1));
    const done: string[] = [];
    void runner.whenDone().then(() => done.push('done'));
    await engine.end('t');
    expect(runner.busy).toBe(true);
    await witness.synced();
    expect(runner.busy).toBe(true);
    expect(done).toEqual([]);
    await witness.acknowledged();

    expect(done).toEqual(['done']);
    expect(runner.busy).toBe(false);
    await runner.whenDone();
  });

  it.each<[string, (runner: TaskRunner) => void, JsonObject, string | null, string]>([
    ['while draining', (runner) => runner.drain(), {}, null, 'no_capacity'],
    ['without replicas', (runner) => runner.stopModels(null), {}, null, 'no_capacity'],
    ['for another model', () => undefined, {}, 'other', 'wrong_model'],
    ['a dispatch id that is no string', () => undefined, { dispatch_id: 7 }, 'm', 'invalid_input'],
    ['an empty dispatch id', () => undefined, { dispatch_id: '' }, 'm', 'invalid_input'],
  ])('refuses a task: %s', (_name, prepare, metadata, model, code) => {
    const { runner, engine } = setUp();
    prepare(runner);
    const arrival = { input: {}, metadata, taskId: null, model };

    expect(() => runner.enqueue(arrival)).toThrow(expect.objectContaining({ code }));
    expect(engine.running).toEqual([]);
  });

  it('says no when too many tasks wait or are unreported, or when they are too large', async () => {
    const { engine, witness, enqueue } = setUp({ limits: { tasks: 2, size: 200 } });
    enqueue(attempt(1));
    await engine.end('t');
    await witness.synced();
    enqueue(attempt(2));
    enqueue(attempt(3));

    const full = expect.objectContaining({ code: 'queue_full' });
    expect(() => enqueue(attempt(4))).toThrow(full);
    await witness.acknowledged();
    enqueue(attempt(5));
    await engine.end('t');
    await witness.synced();
    await witness.acknowledged();
    expect(() => enqueue({}, { text: 'x'.repeat(200) })).toThrow(full);
  });

  it('changes its model only when nothing of the old one is left', async () => {
    const { runner, engine, enqueue } = setUp();
    const forbidden = expect.objectContaining({ code: 'forbidden_transition' });

    expect(() => runner.startModels('other', 1)).toThrow(forbidden);
    enqueue(attempt(1));
    expect(runner.stopModels(null)).toEqual(['replica-1']);
    expect(runner.model).toBe('m');
    expect(() => runner.startModels('other', 1)).toThrow(forbidden);
    await engine.end('t');
    expect(runner.model).toBeNull();
    runner.startModels('other', 2);
    expect([runner.model, runner.replicas]).toEqual(['other', 2]);
  });

  it('gives up what waits when it drains without replicas', async () => {
    const { runner, engine, witness, enqueue } = setUp();
    enqueue(attempt(1, 'a'));
    enqueue(attempt(2, 'b'));
    runner.stopModels(null);
    runner.drain();
    expect([runner.waiting, engine.running, runner.busy]).toEqual([0, ['a'], true]);
    await engine.end('a');
    await witness.synced();
    await witness.acknowledged();

    expect(runner.busy).toBe(false);
    expect(witness.bodies.map((body) => body['metadata'])).toEqual([attempt(1, 'a')]);
  });

  it('gives up what waits when the last replica is stopped while it drains', async () => {
    const { runner, engine, enqueue } = setUp();
    enqueue(attempt(1, 'a'));
    enqueue(attempt(2, 'b'));
    runner.drain();
    expect(runner.waiting).toBe(1);
    runner.stopModels(null);
    await settled();

    expect([runner.waiting, engine.running]).toEqual([0, ['a']]);
  });

  it('bounds what tasks say of themselves, so that its predictions stay numbers', () => {
    const { runner, enqueue } = setUp();
    const most = { expect: Number.MAX_VALUE, error: Number.MAX_VALUE };
    for (let n = 0; n < 3; n += 1) enqueue({ ...attempt(n, `t${n}`), ...most });

    expect(runner.predict()).toEqual({ expectedMs: 3e12, errorMs: Math.sqrt(3e24) });
  });

  it('starts no replicas while it drains, nor more than a worker can have', () => {
    const { runner } = setUp();
    const forbidden = expect.objectContaining({ code: 'forbidden_transition' });

    runner.startModels('m', 999);
    expect(() => runner.startModels('m', 1)).toThrow(forbidden);
    runner.stopModels(null);
    runner.drain();
    expect(() => runner.startModels('m', 1)).toThrow(forbidden);
    expect(runner.replicas).toBe(0);
  });
});
