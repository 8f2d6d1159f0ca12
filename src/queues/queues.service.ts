import { Inject, Injectable } from '@nestjs/common';
import { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import type { Clock } from '../core/ports';
import { queueKey, type Queue } from '../core/queue';
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

/** What waits, and for how long. */
@Injectable()
export class QueuesService {
  constructor(
    private readonly fleet: Fleet,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Every queue of that kind. */
  list(kind: TaskKind): readonly Queue[] {
    return [...this.fleet.queues.values()].filter(({ key }) => key.startsWith(`${kind}/`));
  }

  /** The wait on each instance of one queue, or of all queues of that kind. */
  waits(kind: TaskKind, name?: string): readonly InstanceWait[] {
    const one = name === undefined ? undefined : this.fleet.queues.get(queueKey(kind, name));
    const queues = name === undefined ? this.list(kind) : one ? [one] : [];
    return queues.flatMap((queue) =>
      [...queue.instances.values()].map((instance) => this.waitOn(queue, instance)),
    );
  }

  private waitOn(queue: Queue, instance: Instance): InstanceWait {
    const { mean, deviation } = instance.backlog.wait(instance.pace, this.clock.now());
    return { instance, queue, meanMs: mean, deviationMs: deviation };
  }
}
