import { Inject, Injectable } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import { unfit } from '../core/placement';
import type { Clock } from '../core/ports';
import { queueInWords, queueKey, type Queue } from '../core/queue';
import { waitsOf } from '../core/queue-waits';
import { ONE_SLOT } from '../core/resources';
import type { TaskKind } from '../core/task';
import { CLOCK } from '../ops/system';

/** The wait that a task submitted now would see on one instance. */
export interface InstanceWait {
  readonly instance: Instance;
  readonly queue: Queue;
  /** Expected wait in ms. */
  readonly meanMs: number;
  /** Standard deviation of the wait in ms. */
  readonly deviationMs: number;
}

/** How a queue stands. */
export interface QueueStanding {
  readonly queue: Queue;
  readonly waits: readonly InstanceWait[];
  /** Its tasks that are at instances. */
  readonly running: number;
  /** How many of its instances get nothing new now, by reason. */
  readonly unfit: Readonly<Record<string, number>>;
}

/** What waits, and for how long. */
@Injectable()
export class QueuesService {
  constructor(
    private readonly fleet: Fleet,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Every queue of that kind, by name. */
  list(kind: TaskKind): readonly QueueStanding[] {
    return this.standingsOf(this.queuesOf(kind));
  }

  /** @throws {SchedulerError} unknown_queue */
  get(kind: TaskKind, name: string): QueueStanding {
    const key = queueKey(kind, name);
    const queue = this.fleet.queues.get(key);
    const [standing] = queue ? this.standingsOf([queue]) : [];
    if (standing) return standing;
    const message = `there is no queue of ${queueInWords(key)}: it has neither instances nor settings`;
    throw new SchedulerError('unknown_queue', message);
  }

  /** The wait on each instance of one queue, or of all queues of that kind. */
  waits(kind: TaskKind, name?: string): readonly InstanceWait[] {
    const one = name === undefined ? undefined : this.fleet.queues.get(queueKey(kind, name));
    const queues = name === undefined ? this.queuesOf(kind) : one ? [one] : [];
    return queues.flatMap((queue) => this.waitsIn(queue));
  }

  private queuesOf(kind: TaskKind): readonly Queue[] {
    return [...this.fleet.queues.values()]
      .filter(({ key }) => key.startsWith(`${kind}/`))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  private standingsOf(queues: readonly Queue[]): readonly QueueStanding[] {
    const running = new Map(queues.map(({ key }) => [key, 0]));
    for (const { attempt, task } of this.fleet.attempts.all()) {
      const known = running.get(task.queue);
      if (attempt.state === 'live' && known !== undefined) running.set(task.queue, known + 1);
    }
    return queues.map((queue) => ({
      queue,
      waits: this.waitsIn(queue),
      running: running.get(queue.key) ?? 0,
      unfit: unfit(queue, ONE_SLOT, this.clock.now()),
    }));
  }

  /** None in a queue of jobs: how long one waits depends on what it needs. */
  private waitsIn(queue: Queue): readonly InstanceWait[] {
    if (queue.jobs !== null) return [];
    const waits = waitsOf(queue, this.clock.now());
    return [...queue.instances.values()].map((instance) => {
      const { mean, variance } = waits.get(instance.id) ?? { mean: 0, variance: 0 };
      return { instance, queue, meanMs: mean, deviationMs: Math.sqrt(variance) };
    });
  }
}
