import { QuantileDistribution } from '../src/core/distribution';
import type { Fleet } from '../src/core/fleet';
import { decide } from '../src/core/placement';
import type { Queue } from '../src/core/queue';
import type { Candidate, Choice, ChoosingStrategy, StrategyFactory } from '../src/core/strategy';
import type { Prediction, Task } from '../src/core/task';
import { strategyName, taskId, type NonEmpty } from '../src/core/units';
import { guard } from '../src/strategies/guarded-strategy';
import { BUILT_IN, StrategyRegistry } from '../src/strategies/strategy.registry';
import {
  draftOf,
  fleetRig,
  instanceDraftOf,
  newestHeld,
  QUEUE,
  settingsOf,
  submitted,
  taskOf,
  type FleetRig,
} from '../test/support/builders';
import { SeededRandom } from '../test/support/seeded-random';

const LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9];
const UNLIMITED = { liveTasks: 1e9, livePayloadBytes: 1e12 };

/** A strategy of somebody's own, as it comes from a file: looks at every candidate's wait. */
class SurestWait implements ChoosingStrategy {
  readonly name = strategyName('custom');
  readonly binding = 'early';

  choose(candidates: NonEmpty<Candidate>): Choice {
    let [best] = candidates;
    for (const one of candidates) if (one.wait.deviation < best.wait.deviation) best = one;
    return { instanceId: best.instanceId, reason: 'custom: surest wait' };
  }
}

/** Strategies that look at every candidate. */
export const LOOKING = ['shortest_queue', 'weighted', 'probabilistic', 'round_robin', 'custom'];
const STRATEGIES: readonly StrategyFactory[] = [...BUILT_IN, () => guard(new SurestWait())];

/** A fleet of instances with one slot, most of them busy, and tasks that come and go. */
export class PlacementTrial {
  readonly rig: FleetRig;
  private readonly random = new SeededRandom(7);
  private readonly predictions: readonly Prediction[];
  private readonly running: Task[] = [];
  private count = 0;

  constructor(strategy: string, instances: number, busy: number) {
    this.rig = fleetRig({
      strategies: new StrategyRegistry(STRATEGIES),
      limits: UNLIMITED,
      defaults: settingsOf(strategy, { limit: 1e9, orderG: 2 }),
    });
    this.predictions = Array.from({ length: 64 }, () => {
      const middle = 500 + 1_000 * this.random.next();
      const values = [0.5, 0.7, 1, 1.6, 2.5].map((part) => part * middle);
      return { serviceTime: new QuantileDistribution(LEVELS, values), method: 'learned' };
    });
    for (let n = 0; n < instances; n++) {
      const instance = this.fleet.addInstance(instanceDraftOf(`i-${n}`));
      this.fleet.updateInstance(instance, { declaredSpeed: 1 + (n % 4) });
    }
    for (let n = 0; n < busy; n++) this.come();
  }

  get fleet(): Fleet {
    return this.rig.fleet;
  }

  get queue(): Queue {
    const queue = this.fleet.queues.get(QUEUE);
    if (!queue) throw new Error('the queue is not there');
    return queue;
  }

  /** A task that nobody has submitted. */
  task(): Task {
    return taskOf(this.draft());
  }

  /** A task comes, and is placed, bound or planned. */
  come(): Task {
    const { task } = submitted(this.fleet, this.draft());
    if (task.state !== 'queued') this.running.push(task);
    return task;
  }

  /** A running task ends, and what can be placed then is. */
  go(): void {
    const at = Math.floor(this.random.next() * this.running.length);
    const task = this.running[at];
    const last = this.running.pop();
    if (!task || !last) throw new Error('nothing runs');
    if (last !== task) this.running[at] = last;
    this.fleet.course.ended(newestHeld(this.fleet, task), { kind: 'succeeded', executionMs: 5 });
    this.fleet.forget(task);
    for (const { task: placed } of this.fleet.placeWaiting(16).changes) this.running.push(placed);
    this.rig.clock.advance(1);
  }

  /** A task that waits leaves again. */
  leave(task: Task): void {
    this.fleet.course.stop(task, 'cancelled', 'bench');
    this.fleet.forget(task);
  }

  private draft() {
    const prediction = this.predictions[this.count++ % this.predictions.length];
    if (!prediction) throw new Error('there are predictions');
    const submittedAt = this.rig.clock.now();
    return draftOf({ id: taskId(`t-${this.count}`), prediction, submittedAt });
  }
}

/** With late binding some slots are free; with early binding tasks wait at every other instance. */
export function fleetOf(strategy: string, instances: number): PlacementTrial {
  return new PlacementTrial(strategy, instances, (strategy === 'earliest' ? 0.8 : 1.5) * instances);
}

/** One decision, with its record; nothing comes of it. */
export function decision(trial: PlacementTrial): () => void {
  const { queue, rig } = trial;
  const task = trial.task();
  const random = new SeededRandom(3);
  const now = rig.clock.now();
  return () => void decide(queue, task, now, random);
}

/** A task comes and is placed, another one ends. */
export function turn(trial: PlacementTrial): () => void {
  return () => {
    trial.come();
    trial.go();
  };
}

/** A task is admitted and planned behind those that wait, and leaves again. */
export function planning(trial: PlacementTrial): () => void {
  return () => trial.leave(trial.come());
}
