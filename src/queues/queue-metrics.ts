import { Inject, Injectable } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import type { Clock } from '../core/ports';
import type { Queue } from '../core/queue';
import type { Instant, QueueKey } from '../core/units';
import { QueueLabels } from '../ops/queue-labels';
import { CLOCK } from '../ops/system';

const MS_PER_SECOND = 1_000;
const BY_QUEUE = ['kind', 'queue'] as const;

/** How long the queues are, what they have to work with, and how long the first one waits. */
@Injectable()
export class QueueMetrics {
  constructor(registry: Registry, fleet: Fleet, labels: QueueLabels, @Inject(CLOCK) clock: Clock) {
    const registers = [registry];
    const perQueue = (name: string, help: string, of: QueueFigure): void => {
      new Gauge({
        name,
        help,
        labelNames: BY_QUEUE,
        registers,
        collect() {
          this.reset();
          for (const queue of fleet.queues.values())
            this.inc({ ...labels.of(queue.key) }, of(queue));
        },
      });
    };
    perQueue('foresail_queue_depth', 'Tasks that wait.', ({ waiting }) => waiting);
    perQueue('foresail_slots', 'Tasks that the instances in service can run at once.', (queue) =>
      sum(queue, ({ health, slots }) => (health === 'online' ? slots : 0)),
    );
    perQueue(
      'foresail_slots_used',
      'Slots that an attempt occupies, abandoned ones included.',
      (queue) => sum(queue, ({ slots, backlog }) => Math.min(slots, backlog.heldCount)),
    );
    new Gauge({
      name: 'foresail_queue_oldest_seconds',
      help: 'How long the task has waited that was submitted first of those that wait.',
      labelNames: BY_QUEUE,
      registers,
      collect() {
        this.reset();
        const oldest = new Map<string, number>();
        for (const [key, since] of firstWaiting(fleet)) {
          const label = { ...labels.of(key) };
          const age = Math.max(0, clock.now() - since) / MS_PER_SECOND;
          const name = `${label.kind}/${label.queue}`;
          if (age <= (oldest.get(name) ?? -1)) continue;
          oldest.set(name, age);
          this.set(label, age);
        }
      },
    });
  }
}

type QueueFigure = (queue: Queue) => number;

function sum({ instances }: Queue, of: (instance: Instance) => number): number {
  let total = 0;
  for (const instance of instances.values()) total += of(instance);
  return total;
}

/**
 * When the first of those that wait in each queue was submitted; queues without one are left out.
 * The fleet keeps tasks in the order of their submission, so it rarely has to look far.
 */
function firstWaiting(fleet: Fleet): ReadonlyMap<QueueKey, Instant> {
  const since = new Map<QueueKey, Instant>();
  let left = [...fleet.queues.values()].filter(({ waiting }) => waiting > 0).length;
  for (const { queue, state, submittedAt } of fleet.tasks.values()) {
    if (left === 0) break;
    if (state !== 'queued' || since.has(queue)) continue;
    since.set(queue, submittedAt);
    left--;
  }
  return since;
}
