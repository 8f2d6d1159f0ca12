import { ConformanceRig } from '../support/conformance-rig';
import type { Json } from '../support/service-process';
import { until } from '../support/until';
import type { WorkerProcess } from '../support/worker-process';

jest.setTimeout(120_000);

describe('replicas that are started and stopped while a scheduler uses them', () => {
  let rig: ConformanceRig;
  let worker: WorkerProcess;

  beforeAll(async () => {
    rig = await ConformanceRig.start({ FORESAIL_STATUS_POLL_MS: '200' });
    worker = await rig.worker('--model', 'a', '--time-scale', '1');
  });

  afterAll(() => rig.close());

  async function seen(): Promise<Json> {
    const { instances } = (await rig.get('/v1/instances')).body as { instances: Json[] };
    return instances[0];
  }

  const untilSeen = (what: object, words: string): Promise<void> =>
    until(async () => {
      const now = (await seen()) as Record<string, unknown>;
      return Object.entries(what).every(([name, value]) => now[name] === value);
    }, words);

  const status = async (): Promise<unknown> => (await worker.get('/status')).body;

  it('are seen by the scheduler, and a running task outlives its replica', async () => {
    await worker.post('/models/start', { model_type: 'a', count: 2 });
    expect(await status()).toMatchObject({ replicas_running: 3 });
    await untilSeen({ slots: 3 }, 'three slots');
    await rig.submit('t1', { model_name: 'a', metadata: { service_ms: 1500 } });
    await untilSeen({ occupied: 1 }, 'the task to be sent');
    await until(async () => {
      const { status: state } = (await status()) as { status: string };
      return state === 'running';
    }, 'the task to run');
    await worker.post('/models/stop', {});
    expect(await status()).toMatchObject({
      replicas_running: 0,
      model_type: 'a',
      status: 'running',
    });
    const early = await worker.post('/models/start', { model_type: 'b' });
    expect([early.status, early.body]).toEqual([
      409,
      {
        detail:
          'model b cannot start 1 replica(s): a still has 0 replicas, 1 running and 0 waiting ' +
          'tasks; stop it first and let its tasks end',
      },
    ]);
    await untilSeen({ slots: 0, unfit_because: 'no_replicas' }, 'no slots');

    expect(await rig.completed('t1')).toMatchObject({ result: { service_ms: 1500 } });
    const idle = async (): Promise<boolean> => {
      const { model_type: model } = (await status()) as { model_type: string | null };
      return model === null;
    };
    await until(idle, 'nothing of the model to be left');
  });

  it('may then be of another model, whose tasks come', async () => {
    const { status: code, body } = await worker.post('/models/start', { model_type: 'b' });
    expect([code, body]).toEqual([
      200,
      {
        detail: 'Started 1 replica(s)',
        model_type: 'b',
        replicas_started: 1,
        total_replicas: 1,
      },
    ]);
    await untilSeen({ model: 'b', slots: 1 }, 'the other model');
    await rig.submit('t2', { model_name: 'b', metadata: { service_ms: 1 } });

    expect(await rig.completed('t2')).toMatchObject({ result: { service_ms: 1 } });
  });
});
