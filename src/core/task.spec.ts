import { heldOf, taskOf } from '../../test/support/builders';
import {
  isActive,
  isLegalMove,
  isTerminal,
  liveAttempt,
  occupies,
  TASK_STATES,
  TRANSITIONS,
  type TaskState,
} from './task';

/** RELIABILITY_MODEL, section 3, read row by row. */
const FROM: Record<TaskState, readonly TaskState[]> = {
  queued: ['dispatching', 'cancelled', 'failed', 'succeeded'],
  dispatching: ['dispatched', 'running', 'queued', 'stopping', 'succeeded', 'failed'],
  dispatched: ['running', 'queued', 'stopping', 'succeeded', 'failed', 'released'],
  running: ['paused', 'queued', 'stopping', 'succeeded', 'failed'],
  paused: ['running', 'queued', 'stopping', 'succeeded', 'failed'],
  stopping: ['cancelled', 'timed_out', 'succeeded', 'failed'],
  succeeded: [],
  failed: [],
  cancelled: [],
  timed_out: [],
  released: [],
};
const TERMINAL: readonly TaskState[] = [
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
  'released',
];

const pairs = TASK_STATES.flatMap((from) => TASK_STATES.map((to) => [from, to] as const));

describe('the transition table', () => {
  it.each(pairs)('%s to %s', (from, to) => {
    expect(isLegalMove(from, to)).toBe(FROM[from].includes(to));
  });

  it('lets a task enter waiting or reserved', () => {
    const entries = TASK_STATES.filter((to) => isLegalMove(null, to));
    expect(entries).toEqual(['queued', 'dispatching', 'dispatched']);
  });

  it('names no move twice', () => {
    expect(new Set(TRANSITIONS.map(String)).size).toBe(TRANSITIONS.length);
  });

  it('lists every state once', () => {
    expect([...TASK_STATES].sort()).toEqual(Object.keys(FROM).sort());
  });
});

describe('a state', () => {
  it.each(TASK_STATES)('%s is waiting, active or terminal', (state) => {
    expect(isTerminal(state)).toBe(TERMINAL.includes(state));
    expect(isActive(state)).toBe(state !== 'queued' && !TERMINAL.includes(state));
  });
});

describe('occupies', () => {
  it.each([
    ['live', false, true],
    ['live', true, false],
    ['abandoned', false, true],
    ['abandoned', true, false],
    ['lost', false, false],
    ['ended', false, false],
  ] as const)('of %s attempts, vacated %s: %s', (state, vacated, expected) => {
    expect(occupies(heldOf(taskOf(), { state, vacated }).attempt)).toBe(expected);
  });
});

describe('liveAttempt', () => {
  it('is the one that may still end the task', () => {
    const task = taskOf();
    expect(liveAttempt(task)).toBeUndefined();
    for (const state of ['ended', 'lost', 'abandoned'] as const) heldOf(task, { state });
    expect(liveAttempt(task)).toBeUndefined();
    const { attempt } = heldOf(task);
    expect(liveAttempt(task)).toBe(attempt);
  });
});
