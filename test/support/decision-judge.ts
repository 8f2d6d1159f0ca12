import type { Instance, Readiness } from '../../src/core/instance';
import { decide, isVainTrial } from '../../src/core/placement';
import type { Queue } from '../../src/core/queue';
import { ONE_SLOT } from '../../src/core/resources';
import { isRanked } from '../../src/core/strategy';
import type { Decision, Task } from '../../src/core/task';
import type { BacklogBook, Living } from './backlog-book';
import { must } from './fleet-ledger';
import { SeededRandom } from './seeded-random';

/** Relative error that sums in another order may have. */
const ROUNDING = 1e-9;

/** Holds a decision for a task that nobody has submitted against a look at every instance. */
export class DecisionJudge {
  constructor(
    private readonly queue: Queue,
    private readonly book: BacklogBook,
    private readonly living: Living,
  ) {}

  /** @throws {Error} when what is decided, or its record, is not what it should be */
  judge(task: Task): void {
    const { now } = this.living;
    const placement = decide(this.queue, task, now, new SeededRandom());
    const candidates = this.candidatesOf(task);
    const isNothing = candidates.length === 0;
    const isVain = candidates.every((one) => isVainTrial(this.queue, task, one));
    must((placement.kind === 'waiting') === (isNothing || isVain), 'it waits, or should');
    if (placement.kind === 'waiting') return;
    const { instance, decision } = placement;
    must(candidates.includes(instance), `${instance.id} was no candidate`);
    must(decision.strategy === this.queue.strategy.name, `${decision.strategy} decided`);
    must(decision.decidedAt === now, `decided at ${decision.decidedAt}`);
    this.judgeCounts(decision, task, candidates);
    this.judgeTimes('chosen one', decision, instance, task);
    this.judgeRunnerUp(decision, instance, task, candidates);
  }

  private candidatesOf(task: Task): readonly Instance[] {
    const able = [...this.queue.instances.values()].filter((one) => this.isAble(one));
    const others = able.filter(({ id }) => id !== task.avoid);
    const pool = others.length > 0 ? others : able;
    const free = pool.filter((one) => this.readinessOf(one) === 'free');
    return this.isLate && free.length > 0 ? free : pool;
  }

  private judgeCounts(decision: Decision, task: Task, candidates: readonly Instance[]): void {
    must(decision.candidates === candidates.length, `${decision.candidates} candidates`);
    const counts = new Map<string, number>();
    for (const one of this.queue.instances.values()) {
      if (candidates.includes(one)) continue;
      const reason = this.reasonAgainst(one, task, candidates);
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    const expected = [...counts].sort().join(';');
    const actual = Object.entries(decision.unfitBecause).sort().join(';');
    must(actual === expected, `unfit because ${actual}, should be ${expected}`);
  }

  private reasonAgainst(one: Instance, task: Task, [first]: readonly Instance[]): string {
    const readiness = this.readinessOf(one);
    if (!this.isAble(one)) return readiness;
    const isFirst = readiness === 'free' || (first && readiness === this.readinessOf(first));
    return one.id === task.avoid && (isFirst || !this.isLate) ? 'avoided' : 'busy';
  }

  private judgeRunnerUp(
    { runnerUp }: Decision,
    chosen: Instance,
    task: Task,
    candidates: readonly Instance[],
  ): void {
    const others = candidates.filter((one) => one !== chosen);
    must((runnerUp === null) === (others.length === 0), `runner-up of ${others.length} others`);
    const second = others.find(({ id }) => id === runnerUp?.instanceId);
    must((second === undefined) === (runnerUp === null), 'the runner-up was no candidate');
    if (runnerUp && second) this.judgeTimes('runner-up', runnerUp, second, task);
    if (second) this.judgeOrder(chosen, second, others);
  }

  /** The chosen one is no worse than the runner-up, and that no worse than all the others. */
  private judgeOrder(chosen: Instance, second: Instance, others: readonly Instance[]): void {
    const cost = this.costOf(this.queue);
    if (!cost) return;
    must(cost(chosen) <= cost(second) + ROUNDING, `${second.id} is better than ${chosen.id}`);
    const best = Math.min(...others.map(cost));
    must(cost(second) <= best + ROUNDING * Math.abs(best), `${second.id} is not the second best`);
  }

  private costOf({ strategy }: Queue): ((one: Instance) => number) | undefined {
    if (isRanked(strategy)) return (one) => strategy.rank(one);
    const wait = (one: Instance) => this.book.wait(one, this.living);
    if (strategy.name === 'shortest_queue') return (one) => wait(one).mean;
    if (strategy.name !== 'weighted') return undefined;
    return (one) => wait(one).mean + 0.5 * Math.sqrt(wait(one).variance);
  }

  private judgeTimes(
    which: string,
    { waitMs, completionMs }: Pick<Decision, 'waitMs' | 'completionMs'>,
    instance: Instance,
    { prediction }: Task,
  ): void {
    const { mean } = this.book[this.isLate ? 'turn' : 'wait'](instance, this.living);
    const slack = ROUNDING * Math.max(1, mean);
    must(Math.abs(waitMs - mean) <= slack, `wait of the ${which} is ${waitMs}, should be ${mean}`);
    const runMs = prediction.serviceTime.mean / instance.speed;
    must(Math.abs(completionMs - waitMs - runMs) <= slack, `the ${which} ends at ${completionMs}`);
  }

  private get isLate(): boolean {
    return this.queue.strategy.binding === 'late';
  }

  private isAble(one: Instance): boolean {
    const readiness = this.readinessOf(one);
    if (readiness === 'free' || readiness === 'ahead') return true;
    return !this.isLate && readiness === 'busy';
  }

  /** Looked at anew, not as the queue remembers it. */
  private readinessOf(one: Instance): Readiness {
    const unfit = one.infeasible(ONE_SLOT, this.living.now);
    if (unfit !== undefined) return unfit;
    const { paused, prefetch } = this.queue.settings;
    if (paused) return 'paused';
    const { heldCount } = one.backlog;
    if (heldCount < one.slots) return 'free';
    return heldCount < one.slots + Math.max(prefetch, one.notifies ? 0 : 1) ? 'ahead' : 'busy';
  }
}
