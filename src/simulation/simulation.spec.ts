import { exponential, SeededRandom } from '../ops/seeded-random';
import { EarliestStrategy } from '../strategies/earliest.strategy';
import { ShortestQueueStrategy } from '../strategies/shortest-queue.strategy';
import type { SimulatedInstance } from './fleets';
import { OraclePredictor } from './predictors';
import { Simulation, type SimulatedRun, type SimulatedStrategy } from './simulation';
import { stretchedToLoad, type SimulatedTask } from './workload';

const SERVICE_MS = 1_000;
const TASKS = 40_000;
const BATCHES = 30;
/** 99.9 % of Student's t with 29 degrees of freedom. */
const T = 3.66;

/** Poisson arrivals at that rate of tasks whose times are drawn. */
function poisson(perMs: number, draw: (random: SeededRandom) => number): SimulatedTask[] {
  const random = new SeededRandom(7);
  let arrivalMs = 0;
  return Array.from({ length: TASKS }, (_, index) => {
    arrivalMs += exponential(1 / perMs, random);
    return { index, arrivalMs, model: 'm', metadata: {}, serviceMs: draw(random) };
  });
}

function run(
  tasks: readonly SimulatedTask[],
  fleet: readonly SimulatedInstance[],
  strategy: SimulatedStrategy = new EarliestStrategy(),
): readonly SimulatedRun[] {
  const random = new SeededRandom(1);
  const predictor = new OraclePredictor();
  return Simulation.run({ tasks, fleet, strategy, orderG: 0, predictor, random });
}

/** Mean wait with the half width of its confidence interval, by batch means in the order of arrival. */
function meanWait(runs: readonly SimulatedRun[]): { mean: number; within: number } {
  const ordered = [...runs].sort((a, b) => a.task.index - b.task.index);
  const size = ordered.length / BATCHES;
  const means = Array.from({ length: BATCHES }, (_, n) => {
    const batch = ordered.slice(n * size, (n + 1) * size);
    return batch.reduce((sum, { task, startMs }) => sum + startMs - task.arrivalMs, 0) / size;
  });
  const mean = means.reduce((sum, value) => sum + value, 0) / BATCHES;
  const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (BATCHES - 1);
  return { mean, within: T * Math.sqrt(variance / BATCHES) };
}

/** Probability that an arrival waits, with `k` servers and an offered load of `a` (Erlang C). */
function erlangC(k: number, a: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; n < k; n++) sum += term *= a / n;
  const last = ((term * a) / k) * (k / (k - a));
  return last / (sum + last);
}

const single = [{ name: 'one', speed: 1, slots: 1 }];

describe('the simulation against queueing theory', () => {
  const exponentially = (random: SeededRandom): number => exponential(SERVICE_MS, random);

  it('waits as M/M/1 does', () => {
    const load = 0.7;
    const { mean, within } = meanWait(run(poisson(load / SERVICE_MS, exponentially), single));
    const theory = (SERVICE_MS * load) / (1 - load);
    expect(Math.abs(mean - theory)).toBeLessThan(within);
    expect(within).toBeLessThan(0.2 * theory);
  });

  it.each([
    ['of one instance with 4 slots', [{ name: 'one', speed: 1, slots: 4 }]],
    ['of 4 instances with one slot', fleetOf(4)],
  ])('waits as M/M/4 does on the slots %s', (_, fleet) => {
    const load = 0.7;
    const { mean, within } = meanWait(run(poisson((4 * load) / SERVICE_MS, exponentially), fleet));
    const theory = (erlangC(4, 4 * load) * SERVICE_MS) / (4 - 4 * load);
    expect(Math.abs(mean - theory)).toBeLessThan(within);
    expect(within).toBeLessThan(0.2 * theory);
  });

  it.each([
    ['constant', () => SERVICE_MS, 0],
    ['of two kinds', (random: SeededRandom) => (random.next() < 0.9 ? 500 : 5_500), 2.25],
  ])('waits as M/G/1 does when service times are %s (Pollaczek and Khinchine)', (_, draw, cv2) => {
    const load = 0.7;
    const { mean, within } = meanWait(run(poisson(load / SERVICE_MS, draw), single));
    const theory = (SERVICE_MS * load * (1 + cv2)) / (2 * (1 - load));
    expect(Math.abs(mean - theory)).toBeLessThan(within);
    expect(within).toBeLessThan(0.2 * theory);
  });

  it('never leaves a slot free while a task waits when it binds late', () => {
    const tasks = poisson(3.6 / SERVICE_MS, exponentially);
    const runs = run(tasks, fleetOf(4));
    const changes = runs.flatMap(({ startMs, endMs, task }) => [
      { at: task.arrivalMs, waiting: 1, busy: 0 },
      { at: startMs, waiting: -1, busy: 1 },
      { at: endMs, waiting: 0, busy: -1 },
    ]);
    changes.sort((a, b) => a.at - b.at);
    let waiting = 0;
    let busy = 0;
    for (let n = 0; n < changes.length; n++) {
      waiting += changes[n]?.waiting ?? 0;
      busy += changes[n]?.busy ?? 0;
      const isSettled = changes[n + 1]?.at !== changes[n]?.at;
      if (isSettled && waiting > 0 && busy < 4) throw new Error(`idle at ${changes[n]?.at} ms`);
    }
  });

  it('binds early by true work as well as one central line does', () => {
    const tasks = poisson(3.4 / SERVICE_MS, exponentially);
    const late = meanWait(run(tasks, fleetOf(4)));
    const early = meanWait(run(tasks, fleetOf(4), new ShortestQueueStrategy()));
    expect(early.mean / late.mean).toBeCloseTo(1, 6);
  });

  it('runs faster instances faster, and the tasks that are there in the order of arrival', () => {
    const tasks = [0, 1, 2].map((index) => ({
      ...{ index, arrivalMs: index, model: 'm', metadata: {} },
      serviceMs: 100,
    }));
    const runs = run(tasks, [{ name: 'fast', speed: 4, slots: 1 }]);
    expect(runs.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [0, 25],
      [25, 50],
      [50, 75],
    ]);
  });
});

describe('stretchedToLoad', () => {
  it('keeps order and shape, and offers as much work as asked', () => {
    const tasks = poisson(1, () => 10).slice(0, 1_000);
    const stretched = stretchedToLoad(tasks, [{ name: 'a', speed: 2, slots: 3 }], 0.5);
    const span = (stretched.at(-1)?.arrivalMs ?? 0) - (stretched[0]?.arrivalMs ?? 0);
    expect((1_000 * 10) / (6 * span)).toBeCloseTo(0.5);
    expect(stretched.map(({ index }) => index)).toEqual(tasks.map(({ index }) => index));
  });
});

function fleetOf(size: number): readonly SimulatedInstance[] {
  return Array.from({ length: size }, (_, n) => ({ name: `i${n}`, speed: 1, slots: 1 }));
}
