import type { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import { queueInWords, type Queue } from '../core/queue';
import type { Clock } from '../core/ports';
import { instanceId, type Instant, type QueueKey } from '../core/units';
import type { OpenCondition } from '../persistence/alerts.repository';
import type { News } from './job-alert';

/**
 * What lasts until somebody does something: an instance is lost, a queue is stuck. A queue is stuck
 * when its tasks wait, nobody has paused it, and none of it has run for a while.
 */
export class FleetConditions {
  /** Since when nothing of a queue runs while its tasks wait. */
  private readonly stillSince = new Map<QueueKey, Instant>();

  constructor(
    private readonly fleet: Pick<Fleet, 'instances' | 'queues'>,
    private readonly clock: Clock,
    private readonly stuckMs: number,
  ) {}

  /** What is the case now. Look often: how long a queue has stood still is known from looks only. */
  look(): readonly News[] {
    const lost = [...this.fleet.instances.values()].filter(isLost).map(lostNews);
    return [...lost, ...this.stuck()];
  }

  /** True when what was told is the case no more. */
  isOver({ kind, subject }: OpenCondition): boolean {
    if (kind === 'queue_stuck') {
      const queue = this.fleet.queues.get(subject as QueueKey);
      return !queue || !standsStill(queue);
    }
    const instance = this.fleet.instances.get(instanceId(subject));
    // After a restart it is suspect until it has been heard of.
    return !instance || instance.removed || instance.health === 'online';
  }

  private stuck(): readonly News[] {
    const now = this.clock.now();
    const still = [...this.fleet.queues.values()].filter(standsStill);
    const keys = new Set(still.map(({ key }) => key));
    for (const key of this.stillSince.keys()) if (!keys.has(key)) this.stillSince.delete(key);
    for (const key of keys) if (!this.stillSince.has(key)) this.stillSince.set(key, now);
    const isLong = ({ key }: Queue): boolean =>
      now - (this.stillSince.get(key) ?? now) >= this.stuckMs;
    return still.filter(isLong).map((queue) => stuckNews(queue, this.stuckMs));
  }
}

function isLost({ health, removed }: Instance): boolean {
  return health === 'lost' && !removed;
}

function standsStill({ waiting, settings, instances }: Queue): boolean {
  if (waiting === 0 || settings.paused) return false;
  return [...instances.values()].every(({ occupied }) => occupied === 0);
}

function lostNews({ id, name, kind, queue, occupied }: Instance): News {
  const held = occupied === 0 ? '' : `, with ${occupied} running there`;
  const details = { instance_id: id, name, instance_kind: kind, queue, occupied };
  const message = `${kind === 'host' ? 'host' : 'instance'} ${name} is lost${held}`;
  return { kind: 'host_lost', eventId: null, subject: id, message, details };
}

function stuckNews({ key, waiting, instances }: Queue, stuckMs: number): News {
  const minutes = Math.round(stuckMs / 6_000) / 10;
  const tasks = waiting === 1 ? '1 task waits' : `${waiting} tasks wait`;
  const message = `queue ${queueInWords(key)} is stuck: ${tasks}, and none has run for ${minutes} min`;
  const details = { queue: key, waiting, instances: instances.size };
  return { kind: 'queue_stuck', eventId: null, subject: key, message, details };
}
