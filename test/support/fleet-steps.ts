import * as fc from 'fast-check';
import type { Health } from '../../src/core/instance';
import { queueKey } from '../../src/core/queue';
import type { SettingsChange } from '../../src/core/queue-settings';
import type { Prediction } from '../../src/core/task';
import { strategyName } from '../../src/core/units';
import { exactly, quartiles } from './builders';

/** The queues of generated fleets. */
export const QUEUES = [queueKey('model', 'a'), queueKey('model', 'b'), queueKey('model', 'c')];

/**
 * What generated tasks are predicted to take, by predictors that replace one another; shared, as
 * levels are in the live process.
 */
export const PREDICTORS: readonly (readonly Prediction[])[] = [
  [exactly(100), exactly(0), quartiles(50, 100, 400), quartiles(2_000, 2_500, 9_000)],
  [quartiles(0, 0, 100), quartiles(90, 100, 110), exactly(333.3), quartiles(1, 70, 30_000)],
];

/** Names that generated clients choose; few, so that they meet. */
const CLIENT_IDS = [null, null, null, 'c-1', 'c-2', 'c-3'];

/**
 * One thing that happens to a fleet. Whom it happens to is a number, taken modulo of what is there
 * when its time comes, so that a sequence stays valid when steps are left out.
 */
export type Step =
  | {
      readonly kind: 'submit';
      readonly queue: number;
      readonly clientId: string | null;
      readonly priority: number;
      readonly prediction: number;
      readonly maxAttempts: number;
      readonly payloadBytes: number;
    }
  | { readonly kind: 'place'; readonly limit: number; readonly all: boolean }
  | {
      readonly kind: 'attempt';
      readonly what: AttemptStep;
      readonly pick: number;
      /** Whether it may be one that is over: reports come twice, and late. */
      readonly stale: boolean;
    }
  | { readonly kind: 'stop'; readonly pick: number; readonly reason: 'cancelled' | 'timed_out' }
  | { readonly kind: 'revert'; readonly pick: number }
  | { readonly kind: 'forget'; readonly pick: number }
  | { readonly kind: 'join'; readonly queue: number; readonly change: InstanceChange }
  | { readonly kind: 'change'; readonly pick: number; readonly change: InstanceChange }
  | { readonly kind: 'remove'; readonly pick: number }
  | { readonly kind: 'revive'; readonly pick: number }
  | { readonly kind: 'move'; readonly pick: number; readonly queue: number }
  | {
      readonly kind: 'configure';
      readonly queue: number | null;
      readonly change: SettingsChange;
    }
  /** All that an instance has is lost with it. */
  | { readonly kind: 'lose'; readonly pick: number }
  /** Tasks are predicted by another one from here on. */
  | { readonly kind: 'predictor'; readonly which: number }
  /** What would be decided for a task that nobody has submitted. */
  | {
      readonly kind: 'decide';
      readonly queue: number;
      readonly prediction: number;
      readonly avoid: number | null;
    }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'restore' };

/** What may happen to an attempt, live or not. */
export type AttemptStep =
  | 'sent'
  | 'confirmed'
  | 'started'
  | 'vacated'
  | 'succeeded'
  | 'failed'
  | 'returned'
  | 'lost'
  | 'lost_here'
  | 'accepted'
  | 'faulted';

/** What may be set about an instance. */
export interface InstanceChange {
  readonly slots?: number;
  readonly health?: Health;
  readonly drainAsked?: boolean;
  readonly drainsItself?: boolean;
  readonly notifies?: boolean;
  readonly declaredSpeed?: number;
  readonly foreignMs?: number;
  readonly restMs?: number;
}

const pick = fc.nat(99);
const avoided: fc.Arbitrary<number | null> = fc.option(pick);
const stale = fc.constantFrom(false, false, false, true);
const queue = fc.constantFrom(0, 0, 0, 1, 1, 2);
const is = <K extends Step['kind']>(kind: K): fc.Arbitrary<K> => fc.constant(kind);

const changes: fc.Arbitrary<InstanceChange> = fc.oneof(
  fc.record({ slots: fc.constantFrom(0, 1, 2, 3) }),
  fc.record({ health: fc.constantFrom<Health>('online', 'online', 'suspect', 'lost') }),
  fc.record({ drainAsked: fc.constantFrom(false, false, true) }),
  fc.record({ drainsItself: fc.constantFrom(false, false, true) }),
  fc.record({ notifies: fc.boolean() }),
  fc.record({ declaredSpeed: fc.constantFrom(0.37, 0.5, 1, 2) }),
  fc.record({ foreignMs: fc.constantFrom(0, 300) }),
  fc.record({ restMs: fc.constantFrom(0, 250, 1_000) }),
);

const joining: fc.Arbitrary<InstanceChange> = fc.record(
  {
    slots: fc.constantFrom(0, 1, 1, 2, 2, 3),
    health: fc.constantFrom<Health>('online', 'online', 'online', 'suspect'),
    drainAsked: fc.constantFrom(false, false, false, true),
    notifies: fc.boolean(),
    declaredSpeed: fc.constantFrom(1, 2),
  },
  { requiredKeys: [] },
);

const attemptSteps = fc.constantFrom<AttemptStep>(
  'sent',
  'confirmed',
  'confirmed',
  'confirmed',
  'confirmed',
  'started',
  'started',
  'started',
  'vacated',
  'succeeded',
  'succeeded',
  'succeeded',
  'failed',
  'failed',
  'returned',
  'lost',
  'lost',
  'lost',
  'lost_here',
  'accepted',
  'faulted',
  'faulted',
);

const submit = fc.record({
  kind: is('submit'),
  queue,
  clientId: fc.constantFrom(...CLIENT_IDS),
  priority: fc.constantFrom(0, 0, 0, 1, -1),
  prediction: fc.nat(3),
  maxAttempts: fc.integer({ min: 1, max: 3 }),
  payloadBytes: fc.integer({ min: 0, max: 60 }),
});

const strategy = fc
  .constantFrom(
    'earliest',
    'earliest',
    'shortest_queue',
    'round_robin',
    'weighted',
    'probabilistic',
    'jsq',
  )
  .map(strategyName);

/** A strategy, and sometimes what else may be set. */
const settings: fc.Arbitrary<SettingsChange> = fc.record(
  {
    strategy,
    orderG: fc.constantFrom(0, 2, null),
    prefetch: fc.constantFrom(0, 0, 1, 2, null),
    limit: fc.constantFrom(3, 8, null),
  },
  { requiredKeys: ['strategy'] },
);

const configure = fc.record({ kind: is('configure'), queue: fc.option(queue), change: settings });

/** Pauses are shorter than what lies between them. */
const pause = fc.record({
  kind: is('configure'),
  queue: fc.option(queue),
  change: fc.record({ paused: fc.constantFrom(true, false, null, null) }),
});

/** One thing at a time, as an operator does it. */
const adjust = fc.record({
  kind: is('configure'),
  queue: fc.option(queue),
  change: fc.oneof<fc.Arbitrary<SettingsChange>[]>(
    fc.record({ strategy: fc.constant(null) }),
    fc.record({ prefetch: fc.constantFrom(0, 1, 2, null) }),
    fc.record({ limit: fc.constantFrom(1, 3, 8, null) }),
  ),
});

const weighted = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.WeightedArbitrary<T> => ({
  weight,
  arbitrary,
});

/** One step, submissions, placements and reports most often. */
export const steps: fc.Arbitrary<Step> = fc.oneof(
  weighted<Step>(9, submit),
  weighted<Step>(
    14,
    fc.record({
      kind: is('place'),
      limit: fc.integer({ min: 1, max: 5 }),
      all: fc.constantFrom(true, true, false),
    }),
  ),
  weighted<Step>(20, fc.record({ kind: is('attempt'), what: attemptSteps, pick, stale })),
  weighted<Step>(
    1,
    fc.record({
      kind: is('stop'),
      pick,
      reason: fc.constantFrom('cancelled' as const, 'timed_out' as const),
    }),
  ),
  weighted<Step>(1, fc.record({ kind: is('revert'), pick })),
  weighted<Step>(4, fc.record({ kind: is('forget'), pick })),
  weighted<Step>(3, fc.record({ kind: is('join'), queue, change: joining })),
  weighted<Step>(6, fc.record({ kind: is('change'), pick, change: changes })),
  weighted<Step>(1, fc.record({ kind: is('remove'), pick })),
  weighted<Step>(1, fc.record({ kind: is('revive'), pick })),
  weighted<Step>(1, fc.record({ kind: is('move'), pick, queue })),
  weighted<Step>(1, configure),
  weighted<Step>(1, pause),
  weighted<Step>(1, adjust),
  weighted<Step>(1, fc.record({ kind: is('lose'), pick })),
  weighted<Step>(1, fc.record({ kind: is('predictor'), which: fc.nat(1) })),
  weighted<Step>(
    4,
    fc.record({ kind: is('decide'), queue, prediction: fc.nat(3), avoid: avoided }),
  ),
  weighted<Step>(
    9,
    fc.record({ kind: is('pass'), ms: fc.constantFrom(0, 1, 100, 1_000, 5_000, 20_000) }),
  ),
  weighted<Step>(1, fc.record({ kind: is('restore') })),
);

/** Something to begin with: most sequences need instances before anything else can happen. */
export const beginnings: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    configure,
    fc.array(fc.record({ kind: is('join'), queue: fc.nat(1), change: joining }), { maxLength: 3 }),
  )
  .map(([beginning, joins]) => [
    { ...beginning, queue: null },
    { kind: 'join', queue: 0, change: {} },
    ...joins,
  ]);
