import {
  decisionOf,
  draftOf,
  exactly,
  heldOf,
  instanceOf,
  newestHeld,
  QUEUE,
  quartiles,
  rigWith,
  settingsOf,
  submitted,
  taskOf,
} from '../../test/support/builders';
import { EarliestStrategy } from '../strategies/earliest.strategy';
import { ShortestQueueStrategy } from '../strategies/shortest-queue.strategy';
import { outlookOf, type Outlook } from './forecast';
import type { Instance } from './instance';
import { LicencePools } from './licences';
import { Queue } from './queue';
import { ONE_SLOT } from './resources';
import type { PlacementStrategy } from './strategy';
import type { Prediction, Task } from './task';
import { instant } from './units';

const NOW = instant(1_000);
/** Distance of p90 from the median, in deviations of a normal distribution. */
const P90 = 1.2815515655446004;

/** A queue of these instances, each of which has begun now with what it holds. */
class Scene {
  readonly queue: Queue;
  private readonly byId;

  constructor(
    instances: readonly Instance[],
    strategy: PlacementStrategy = new EarliestStrategy(),
  ) {
    this.queue = new Queue(QUEUE, settingsOf(strategy.name), strategy, ONE_SLOT);
    this.byId = new Map(instances.map((instance) => [instance.id, instance]));
    for (const instance of instances) {
      this.queue.attach(instance);
      this.queue.refresh(instance, NOW);
    }
  }

  join(overrides: Partial<Task> = {}): Task {
    const task = taskOf(overrides);
    this.queue.join(task, NOW);
    return task;
  }

  look(task: Task, now = NOW): Outlook {
    const licences = new LicencePools(
      () => [],
      () => undefined,
    );
    const sight = { queues: new Map([[QUEUE, this.queue]]), instances: this.byId, licences };
    return outlookOf(sight, task, now);
  }

  /** Start and end from now, as `p50 p90 p50 p90`. */
  expected(task: Task, now = NOW): string {
    const { forecast } = this.look(task, now);
    if (!forecast) return 'nothing';
    const { start, end } = forecast;
    return [start.p50, start.p90, end.p50, end.p90].map((at) => Math.round(at - now)).join(' ');
  }
}

/** An instance with as many slots as runs, each of which has just begun. */
function busy(id: string, ...runs: readonly Prediction[]): Instance {
  const instance = instanceOf(id, runs.length);
  for (const prediction of runs) hold(instance, prediction);
  return instance;
}

function hold(instance: Instance, prediction: Prediction): Task {
  const task = taskOf({ prediction, state: 'running' });
  instance.backlog.hold(heldOf(task, { instanceId: instance.id, runningSince: NOW }));
  return task;
}

describe('the forecast of a task that waits', () => {
  it('is its turn at the only slot', () => {
    const scene = new Scene([busy('a', exactly(300))]);
    const first = scene.join({ prediction: exactly(100) });
    const second = scene.join({ prediction: exactly(50) });
    expect(scene.expected(first)).toBe('300 300 400 400');
    expect(scene.expected(second)).toBe('400 400 450 450');
  });

  it('deals what is ahead to the slots that are free first', () => {
    const scene = new Scene([busy('a', exactly(100), exactly(900)), busy('b', exactly(300))]);
    const starts = [250, 200, 100, 1].map((ms) => {
      const task = scene.join({ prediction: exactly(ms) });
      return Number(scene.expected(task).split(' ')[0]);
    });
    // Free at 100, 900, 300; then at 350, 900, 300; at 350, 900, 500; at 450, 900, 500.
    expect(starts).toEqual([100, 300, 350, 450]);
  });

  it('counts work by the speed of who does it', () => {
    const fast = busy('a', exactly(400));
    fast.learnedSpeed.declared = 4;
    const scene = new Scene([fast]);
    scene.join({ prediction: exactly(200) });
    expect(scene.expected(scene.join({ prediction: exactly(40) }))).toBe('150 150 160 160');
  });

  it('knows what passed since the others began', () => {
    const scene = new Scene([busy('a', exactly(300))]);
    const task = scene.join({ prediction: exactly(100) });
    expect(scene.expected(task, instant(NOW + 200))).toBe('100 100 200 200');
  });

  it('takes what is ahead as normal, and adds its own spread to that', () => {
    const spread = quartiles(80, 100, 140);
    const { mean, deviation, variance } = spread.serviceTime;
    const scene = new Scene([busy('a', spread)]);
    scene.join({ prediction: spread });
    const task = scene.join({ prediction: spread });
    const late = P90 * Math.sqrt(2 * variance);
    const ownLate = spread.serviceTime.quantile(0.9) - 100;
    expect(deviation).toBeGreaterThan(0);
    const end = 2 * mean + 100;
    const times = [2 * mean, 2 * mean + late, end, end + Math.hypot(late, ownLate)];
    expect(scene.expected(task)).toBe(times.map(Math.round).join(' '));
  });

  it('pours very many tasks over the slots', () => {
    const scene = new Scene([
      busy('a', exactly(100)),
      busy('b', exactly(200)),
      busy('c', exactly(9_000)),
    ]);
    for (let i = 0; i < 100; i++) scene.join({ prediction: exactly(10) });
    // 1 000 of work on two slots that are free after 100 and 200; the third is never reached.
    expect(scene.expected(scene.join({ prediction: exactly(5) }))).toBe('650 650 655 655');
  });

  it('agrees between few and many tasks ahead', () => {
    const scene = new Scene([busy('a', exactly(50))]);
    const tasks = Array.from({ length: 70 }, () => scene.join({ prediction: exactly(10) }));
    const starts = tasks.map((task) => Number(scene.expected(task).split(' ')[0]));
    expect(starts).toEqual(tasks.map((_task, i) => 50 + 10 * i));
  });

  it('is not before the end of its backoff', () => {
    const scene = new Scene([busy('a', exactly(100))]);
    const task = scene.join({ notBefore: instant(NOW + 700), prediction: exactly(10) });
    expect(scene.expected(task)).toBe('700 700 710 710');
  });

  it('is not before the end of a rest', () => {
    const instance = busy('a', exactly(100));
    instance.circuit.rest(instant(NOW + 250));
    const scene = new Scene([instance]);
    expect(scene.expected(scene.join({ prediction: exactly(10) }))).toBe('250 250 260 260');
  });

  it('follows the instance that it is bound to', () => {
    const [a, b] = [busy('a', exactly(500)), busy('b', exactly(100))];
    const scene = new Scene([a, b], new ShortestQueueStrategy());
    for (const ms of [40, 30]) {
      scene.queue.bind(scene.join({ prediction: exactly(ms) }), a, decisionOf(), NOW);
    }
    const task = scene.join({ prediction: exactly(10) });
    scene.queue.bind(task, a, decisionOf(), NOW);
    expect(scene.expected(task)).toBe('570 570 580 580');
    expect(scene.look(task).waiting).toEqual({
      because: { busy: 1, bound_elsewhere: 1 },
      plannedOn: a.id,
      ahead: 2,
    });
  });

  it('is none without replicas', () => {
    const scene = new Scene([instanceOf('a', 0), instanceOf('b', 0)]);
    const { waiting, forecast } = scene.look(scene.join());
    expect(forecast).toBeNull();
    expect(waiting).toMatchObject({ because: { no_replicas: 2 }, ahead: 0 });
  });

  it('is none without instances', () => {
    const scene = new Scene([]);
    const nothing = { waiting: { because: {}, plannedOn: null, ahead: 0 }, forecast: null };
    expect(scene.look(scene.join())).toEqual(nothing);
  });

  it('is none while the queue is paused', () => {
    const scene = new Scene([busy('a', exactly(100))]);
    scene.queue.configure(settingsOf('earliest', { paused: true }), undefined);
    const { waiting, forecast } = scene.look(scene.join());
    expect([waiting?.because, forecast]).toEqual([{ paused: 1 }, null]);
  });

  it('leaves out instances that get no new work', () => {
    const silent = instanceOf('b', 1, { health: 'suspect' });
    const scene = new Scene([busy('a', exactly(100)), silent]);
    const task = scene.join({ prediction: exactly(10) });
    expect(scene.expected(task)).toBe('100 100 110 110');
    expect(scene.look(task).waiting?.because).toEqual({ busy: 1, suspect: 1 });
  });
});

describe('why a task waits', () => {
  it('counts who goes before it, and not who stands aside for longer', () => {
    const scene = new Scene([busy('a', exactly(100))]);
    const low = scene.join({ priority: -1 });
    scene.join({ priority: 1, notBefore: instant(NOW + 10) });
    const high = scene.join({ priority: 1 });
    const middle = scene.join();
    const ahead = (task: Task, now = NOW): number | undefined =>
      scene.look(task, now).waiting?.ahead;
    expect([high, middle, low].map((task) => ahead(task))).toEqual([0, 1, 2]);
    expect(ahead(low, instant(NOW + 10))).toBe(3);
  });

  it('says that it stands aside', () => {
    const scene = new Scene([instanceOf('a'), instanceOf('b', 1, { drainAsked: true })]);
    const task = scene.join({ notBefore: instant(NOW + 10) });
    expect(scene.look(task).waiting?.because).toEqual({ backoff: 1, draining: 1 });
  });
});

describe('the forecast of a task that an instance has', () => {
  it('starts in the past, and ends by what is left', () => {
    const scene = new Scene([instanceOf('a')]);
    const [instance] = scene.queue.instances.values();
    const task = hold(instance!, quartiles(100, 200, 400));
    // After 200 half of the outcomes are left: their median is the 0.75 quantile.
    const { serviceTime } = task.prediction;
    const late = Math.round(serviceTime.quantile(0.95) - 200);
    expect(scene.expected(task, instant(NOW + 200))).toBe(`-200 -200 200 ${late}`);
    expect(scene.look(task).waiting).toBeNull();
  });

  it('never says that the end is past', () => {
    const scene = new Scene([instanceOf('a')]);
    const [instance] = scene.queue.instances.values();
    const task = hold(instance!, exactly(100));
    const [, , p50, p90] = scene
      .expected(task, instant(NOW + 1_100))
      .split(' ')
      .map(Number);
    expect(p50).toBeGreaterThan(0);
    expect(p90).toBeGreaterThan(p50!);
  });

  it('waits behind what came there before it', () => {
    const { fleet, clock } = rigWith([1], settingsOf('earliest', { prefetch: 2 }));
    const [, second, third] = [300, 40, 10].map(
      (ms) => submitted(fleet, draftOf({ prediction: exactly(ms) })).task,
    );
    const starts = [second!, third!].map((task) => {
      const { forecast } = outlookOf(fleet, task, clock.now());
      return forecast && [forecast.start.p50 - clock.now(), forecast.end.p50 - clock.now()];
    });
    expect(starts).toEqual([
      [300, 340],
      [340, 350],
    ]);
  });

  it('is over when only its result is still to be fetched', () => {
    const { fleet, clock } = rigWith([1]);
    const { task } = submitted(fleet, draftOf());
    fleet.course.vacated(newestHeld(fleet, task), 5);
    const { forecast } = outlookOf(fleet, task, clock.now());
    expect(forecast?.end).toEqual({ p50: clock.now(), p90: clock.now() });
  });

  it('is none of a placement, which lasts until somebody ends it', () => {
    const { fleet, clock } = rigWith([1]);
    const { task } = submitted(fleet, draftOf());
    const { forecast } = outlookOf(fleet, { ...task, kind: 'placement' }, clock.now());
    expect(forecast).toBeNull();
  });

  it('is none while it is being stopped', () => {
    const { fleet, clock } = rigWith([1]);
    const { task } = submitted(fleet, draftOf());
    task.state = 'stopping';
    expect(outlookOf(fleet, task, clock.now())).toEqual({ waiting: null, forecast: null });
  });
});
