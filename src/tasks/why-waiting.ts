import type { Fleet } from '../core/fleet';
import { jobReasons } from '../core/job-fit';
import type { Task } from '../core/task';
import type { Instant } from '../core/units';

/** Why a batch job that waits does so, as things are now, in one line for people. */
export function whyWaiting(job: Task, fleet: Fleet, now: Instant): string {
  const queue = fleet.queues.get(job.queue);
  if (!queue || queue.instances.size === 0) return 'no host is registered: it waits for one';
  if (!fleet.couldEverHold(job)) {
    return `no registered host could ever hold it: it waits for one with ${wanted(job)}`;
  }
  const { pool, tokens } = fleet.licences.drawOf(job);
  const size = fleet.licences.all().find(({ name }) => name === pool)?.tokens ?? Infinity;
  if (tokens > size) {
    return `it asks for ${tokens} tokens of the licence pool ${JSON.stringify(pool)}, which has ${size}`;
  }
  const counts = Object.entries(jobReasons(queue, job, fleet.licences, now));
  return `it waits; hosts: ${counts.map(([why, hosts]) => `${hosts} ${why}`).join(', ')}`;
}

function wanted({ demand: { slots, cpu, memoryGb }, job }: Task): string {
  const size = { slots, cpu, memory_gb: memoryGb };
  const parts = Object.entries({ ...size, ...job?.labels });
  return parts.map(([name, value]) => `${name}=${value}`).join(', ');
}
