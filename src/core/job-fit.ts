import type { Instance } from './instance';
import type { LicencePools } from './licences';
import { unfitness } from './placement';
import type { Queue } from './queue';
import { fits } from './resources';
import type { Task } from './task';
import type { Instant } from './units';

/** What a host has to have for a job: the part of a task that says so. */
export type JobDemand = Pick<Task, 'demand' | 'job'>;

/** True when the host has every label that the job asks for. */
export function hasLabels({ traits }: Pick<Instance, 'traits'>, { job }: JobDemand): boolean {
  return Object.entries(job?.labels ?? {}).every(
    ([name, value]) => Object.hasOwn(traits.labels, name) && traits.labels[name] === value,
  );
}

/** True when the host could hold the job if nothing else were there. */
export function couldHold(host: Instance, job: JobDemand): boolean {
  return hasLabels(host, job) && fits(job.demand, host.capacity);
}

/**
 * Why a host does not take a job that waits: as of an instance, or `labels` (it has not all that are
 * asked for), `backoff`, `busy`, `licences` (there is room, but no tokens), `held_back` (there is room,
 * which is kept for a job before it, or the job is just about to start).
 */
export function jobReasons(
  queue: Queue,
  task: Task,
  licences: LicencePools,
  now: Instant,
): Record<string, number> {
  const { pool, tokens } = licences.drawOf(task);
  const hasTokens = pool === undefined || tokens <= (licences.free().get(pool) ?? 0);
  const counts: Record<string, number> = {};
  for (const host of queue.instances.values()) {
    const reason = unfitness(queue, host, task.demand, now) ?? passed(host, task, hasTokens, now);
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

function passed(host: Instance, task: Task, hasTokens: boolean, now: Instant): string {
  if (!hasLabels(host, task)) return 'labels';
  if (task.notBefore !== null && task.notBefore > now) return 'backoff';
  if (!host.hasRoom(task.demand)) return 'busy';
  return hasTokens ? 'held_back' : 'licences';
}
