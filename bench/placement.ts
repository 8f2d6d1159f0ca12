import { cpus } from 'node:os';
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
import { markdownTable } from './markdown';

/**
 * `npm run bench:placement`: what a placement costs on the pure core, without a database or a
 * network. Prints a Markdown table. Times are processor time, the least of some batches; beside each
 * stands what writing and reading a small JSON object cost in the same moments.
 */
const BATCHES = 15;
const BATCH_MS = 25;
const LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9];
const SUBMISSION = {
  model_name: 'llama-3-8b',
  task_id: 'order-4711',
  task_input: { prompt: 'x'.repeat(200) },
  metadata: { service_ms: 1_200, priority: 0 },
};
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
const LOOKING = ['shortest_queue', 'weighted', 'probabilistic', 'round_robin', 'custom'];
const STRATEGIES: readonly StrategyFactory[] = [...BUILT_IN, () => guard(new SurestWait())];

/** A fleet of instances with one slot, most of them busy, and tasks that come and go. */
class Trial {
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

const rows: string[][] = [];

function main(): void {
  for (const instances of [10, 100, 1_000, 10_000]) {
    const what = `earliest, ${instances} instances`;
    const goal = instances === 10_000 ? '≤ 2 µs' : '';
    note(`${what}: decision`, decision(fleetOf('earliest', instances)), goal);
    note(`${what}: submit, place, end`, turn(fleetOf('earliest', instances)), '');
  }
  for (const strategy of LOOKING) {
    for (const instances of [10, 100, 1_000]) {
      const what = `${strategy}, ${instances} instances`;
      const goal = instances === 1_000 ? '≤ 200 µs' : '';
      note(`${what}: decision`, decision(fleetOf(strategy, instances)), goal);
      note(`${what}: submit, place, end`, turn(fleetOf(strategy, instances)), '');
    }
  }
  for (const waiting of [10, 100, 1_000, 10_000]) {
    const trial = new Trial('earliest', 100, 100 + waiting);
    note(`earliest, ${waiting} waiting: plan a task`, planning(trial), 'O(log n)');
  }
  print();
}

/** With late binding some slots are free; with early binding tasks wait at every other instance. */
function fleetOf(strategy: string, instances: number): Trial {
  return new Trial(strategy, instances, (strategy === 'earliest' ? 0.8 : 1.5) * instances);
}

/** One decision, with its record; nothing comes of it. */
function decision(trial: Trial): () => void {
  const { queue, rig } = trial;
  const task = trial.task();
  const random = new SeededRandom(3);
  const now = rig.clock.now();
  return () => void decide(queue, task, now, random);
}

/** A task comes and is placed, another one ends. */
function turn(trial: Trial): () => void {
  return () => {
    trial.come();
    trial.go();
  };
}

/** A task is admitted and planned behind those that wait, and leaves again. */
function planning(trial: Trial): () => void {
  return () => trial.leave(trial.come());
}

/** What the machine is measured by: a submission as JSON, written and read. */
function echo(): void {
  JSON.parse(JSON.stringify(SUBMISSION));
}

/** Times the step and the machine in turn: whatever else runs slows both, and only ever adds. */
function note(what: string, step: () => void, goal: string): void {
  const steps = stepsFor(step);
  const echoes = stepsFor(echo);
  let cost = Number.POSITIVE_INFINITY;
  let unitCost = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch++) {
    cost = Math.min(cost, costOf(step, steps));
    unitCost = Math.min(unitCost, costOf(echo, echoes));
  }
  rows.push([what, cost.toFixed(2), unitCost.toFixed(2), (cost / unitCost).toFixed(1), goal]);
  process.stderr.write(`${what}  ${cost.toFixed(2)} µs\n`);
}

/** How many steps a batch has. */
function stepsFor(step: () => void): number {
  let steps = 1;
  while (costOf(step, steps) * steps < BATCH_MS * 1_000) steps *= 2;
  return steps;
}

/** Processor time of one step, in µs. */
function costOf(step: () => void, steps: number): number {
  const before = process.cpuUsage();
  for (let n = 0; n < steps; n++) step();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / steps;
}

function print(): void {
  const table = markdownTable(['what', 'µs', 'echo, µs', 'echoes', 'to reach'], rows);
  process.stdout.write(`${cpus().length} cores, Node ${process.version}\n\n${table}`);
}

main();
