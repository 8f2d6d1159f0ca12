import { CIRCUIT } from '../../test/support/builders';
import { lifecycleRig } from '../../test/support/lifecycle-rig';
import { until } from '../../test/support/until';
import type { StartRequest, StartResult, Target } from '../executors/executor';
import { Outbox } from '../tasks/outbox';
import { PayloadCache, type Payload } from '../tasks/payload-cache';
import { PayloadReader } from '../tasks/payload-reader';
import { Dispatcher } from './dispatcher';

const PAYLOAD: Payload = { taskInput: '{}', metadata: '{}' };

/** Reads whose end is the test's to say. */
class SlowReader extends PayloadReader {
  readonly reads: { answer(payload: Payload): void; fail(error: Error): void }[] = [];

  override read(): Promise<Payload> {
    return new Promise((answer, fail) => this.reads.push({ answer, fail }));
  }
}

/** An attempt that the dispatcher is about to send: its payload is being read. */
async function aboutToSend() {
  const rig = lifecycleRig();
  const { fleet, tasks, recorder, lifecycle, doubts, bell, clock, held } = rig;
  const outbox = new Outbox(fleet);
  const payloads = new SlowReader(new PayloadCache(), tasks);
  const started: StartRequest[] = [];
  let answer = (): Promise<StartResult> => Promise.resolve({ kind: 'accepted', remoteId: '7' });
  const executor = {
    start: (_target: Target, request: StartRequest): Promise<StartResult> => {
      started.push(request);
      return answer();
    },
  };
  const dispatcher = new Dispatcher(
    fleet,
    outbox,
    payloads,
    recorder,
    lifecycle,
    doubts,
    bell,
    executor,
    clock,
  );
  outbox.post([{ ...fleet.note(held.task, 'reserved', 'reserved'), attempts: [held.attempt] }]);
  dispatcher.onApplicationBootstrap();
  await until(() => payloads.reads.length === 1, 'the read of the payload');
  const fails = (): void => {
    answer = () => Promise.reject(new Error('no answer was understood'));
  };
  const refuses = (because: 'busy' | 'unwanted'): void => {
    answer = () => Promise.resolve({ kind: 'refused', because, reason: '', retryAfterMs: null });
  };
  const { reads } = payloads;
  return { ...rig, dispatcher, started, fails, refuses, reads, read: reads[0] };
}

describe('Dispatcher', () => {
  it('lets a task wait again, without a doubt, when its payload cannot be read', async () => {
    const { dispatcher, read, started, doubts, task, held } = await aboutToSend();
    read?.fail(new Error('the database is away'));
    await dispatcher.stop();
    expect([task.state, held.attempt.state, held.attempt.sentAt]).toEqual([
      'queued',
      'ended',
      null,
    ]);
    expect(doubts.open()).toEqual([]);
    expect(started).toEqual([]);
  });

  it('does not send an attempt that was lost while its payload was read', async () => {
    const { dispatcher, read, started, lifecycle, task, held } = await aboutToSend();
    await lifecycle.lost(held, 'gpu7 has been silent');
    read?.answer(PAYLOAD);
    await dispatcher.stop();
    expect(started).toEqual([]);
    expect([task.state, held.attempt.state]).toEqual(['queued', 'lost']);
  });

  it('does not send an attempt that was stopped while its payload was read', async () => {
    const { dispatcher, read, started, lifecycle, task, held } = await aboutToSend();
    await lifecycle.stop(task, 'cancelled', 'cancelled');
    read?.answer(PAYLOAD);
    await dispatcher.stop();
    expect(started).toEqual([]);
    expect([task.state, held.attempt.state]).toEqual(['cancelled', 'ended']);
  });

  it('doubts an attempt that may have been sent', async () => {
    const { dispatcher, read, fails, doubts, task, held } = await aboutToSend();
    fails();
    read?.answer(PAYLOAD);
    await dispatcher.stop();
    expect(task.state).toBe('dispatching');
    expect(doubts.open()).toMatchObject([{ held }]);
  });

  it.each([
    ['unwanted', 'circuit_open'],
    ['busy', undefined],
  ] as const)('keeps work from an instance that says again and again: %s', async (because, why) => {
    const { dispatcher, reads, refuses, fleet, clock, bell, task } = await aboutToSend();
    const [instance] = fleet.instances.values();
    refuses(because);
    for (let refusals = 1; refusals <= CIRCUIT.faults; refusals++) {
      await until(() => reads.length === refusals, `the read before refusal ${refusals}`);
      reads.at(-1)?.answer(PAYLOAD);
      await until(() => task.state === 'queued', 'the task to wait again');
      clock.advance(1_000);
      bell.signal();
    }
    await dispatcher.stop();
    expect(instance?.circuit.withholds([], clock.now())).toBe(why);
  });
});
