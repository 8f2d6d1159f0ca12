import { AttemptIndex } from '../../src/core/attempt-index';
import type { Held } from '../../src/core/backlog';
import { Chronicle } from '../../src/core/chronicle';
import { Course } from '../../src/core/course';
import type { Change, Outcome, Task, TaskState } from '../../src/core/task';
import { instanceId } from '../../src/core/units';
import { heldOf, taskOf } from './builders';
import { FakeClock } from './fake-clock';

/** What the clock of a course says at first. */
export const NOW = 10_000;
/** Two instances. */
export const A = instanceId('a');
export const B = instanceId('b');
/** Two ends. */
export const SUCCESS: Outcome = { kind: 'succeeded', executionMs: 42 };
export const FAILURE: Outcome = {
  kind: 'failed',
  failure: 'exit',
  message: 'exit 1',
  executionMs: 7,
};

/** A course, and lists of what it asked of the fleet around it, and told it of workers. */
export function courseRig(chance = 0.5) {
  const asked: string[] = [];
  const judged: string[] = [];
  const attempts = new AttemptIndex();
  const clock = new FakeClock(NOW);
  const course = new Course(
    new Chronicle(clock),
    attempts,
    {
      vacate: ({ attempt }) => asked.push(`vacate ${attempt.no}`),
      requeue: () => asked.push('requeue'),
      leave: () => asked.push('leave'),
      ended: ({ attempt }, { kind }) => judged.push(`${attempt.no} ${kind}`),
    },
    { clock, random: { next: () => chance } },
    { firstMs: 1_000, mostMs: 60_000 },
    { firstMs: 100, mostMs: 250 },
  );
  const held = (task: Task, overrides: Parameters<typeof heldOf>[1] = {}): Held => {
    const one = heldOf(task, overrides);
    attempts.add(one);
    return one;
  };
  /** A task in that state, with one live attempt on A where there must be one. */
  const active = (state: TaskState, overrides: Partial<Task> = {}): Held =>
    held(taskOf({ state, ...overrides }), { instanceId: A });
  return { course, attempts, clock, asked, judged, held, active };
}

/** The events of the changes, in short. */
export function steps(changes: readonly Change[]): string[] {
  return changes.map(({ event }) => (event.to === null ? event.type : `${event.type}>${event.to}`));
}

/** States in which an instance has the task, and nobody stops it. */
export const ACTIVE = ['dispatching', 'dispatched', 'running', 'paused'] as const;
