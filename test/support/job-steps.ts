import * as fc from 'fast-check';
import type { Health } from '../../src/core/instance';
import type { SettingsChange } from '../../src/core/queue-settings';
import { strategyName } from '../../src/core/units';

/** Tools that generated jobs run; the first has never a pool of its own. */
export const TOOLS = ['', 'vcs', 'default'] as const;
/** Labels that hosts have and jobs ask for. */
export const LABELS: readonly Readonly<Record<string, string>>[] = [
  {},
  { os: 'linux' },
  { os: 'linux', disk: 'ssd' },
];

/** What a generated job asks for. */
export interface JobChoice {
  readonly cores: number;
  readonly memoryGb: number;
  /** Index of `LABELS`. */
  readonly labels: number;
  /** Index of `TOOLS`. */
  readonly tool: number;
  readonly tokens: number;
  readonly limitMs: number;
  readonly predictedMs: number;
  readonly priority: number;
  readonly retryLimit: number;
}

/** What a generated host has. */
export interface HostChoice {
  readonly cores: number;
  readonly labels: number;
}

/** What may happen to an attempt of a job. */
export type JobReport =
  'sent' | 'confirmed' | 'started' | 'succeeded' | 'failed' | 'returned' | 'lost' | 'halted';

/**
 * One thing that happens to hosts and jobs. Whom it happens to is a number, taken modulo of what is
 * there when its time comes.
 */
export type JobStep =
  | ({ readonly kind: 'submit' } & JobChoice)
  | { readonly kind: 'place'; readonly limit: number; readonly all: boolean }
  | { readonly kind: 'report'; readonly what: JobReport; readonly pick: number }
  | { readonly kind: 'stop'; readonly pick: number }
  | ({ readonly kind: 'join' } & HostChoice)
  | ({ readonly kind: 'resize'; readonly pick: number } & HostChoice)
  | { readonly kind: 'health'; readonly pick: number; readonly health: Health }
  | { readonly kind: 'drain'; readonly pick: number; readonly drainAsked: boolean }
  | { readonly kind: 'remove' | 'revive'; readonly pick: number }
  | { readonly kind: 'licences'; readonly tool: number; readonly tokens: number | null }
  | { readonly kind: 'configure'; readonly change: SettingsChange }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'restore' };

const HOUR = 3_600_000;
const pick = fc.nat(99);
const is = <K extends JobStep['kind']>(kind: K): fc.Arbitrary<K> => fc.constant(kind);

const submit = fc.record({
  kind: is('submit'),
  cores: fc.constantFrom(0.5, 1, 1, 2, 4, 6),
  memoryGb: fc.constantFrom(0, 0.1, 1, 4, 9),
  labels: fc.constantFrom(0, 0, 0, 1, 2),
  tool: fc.nat(2),
  tokens: fc.constantFrom(0, 1, 2),
  limitMs: fc.constantFrom(HOUR / 2, HOUR, 2 * HOUR, 5 * HOUR, Infinity),
  predictedMs: fc.constantFrom(0, HOUR / 4, HOUR),
  priority: fc.constantFrom(1, 1, 1, 1, 5),
  retryLimit: fc.constantFrom(0, 0, 1),
});

const host = { cores: fc.constantFrom(1, 2, 4, 4, 8), labels: fc.nat(2) };

const reports = fc.constantFrom<JobReport>(
  'sent',
  'confirmed',
  'confirmed',
  'started',
  'succeeded',
  'succeeded',
  'succeeded',
  'failed',
  'returned',
  'lost',
  'halted',
);

const settings: fc.Arbitrary<SettingsChange> = fc.oneof(
  fc.record({
    strategy: fc.constantFrom('least_loaded', 'best_fit', 'earliest').map(strategyName),
  }),
  fc.record({ orderG: fc.constantFrom(0, 2) }),
  fc.record({ paused: fc.constantFrom(true, null, null) }),
);

const weighted = (weight: number, arbitrary: fc.Arbitrary<JobStep>) => ({ weight, arbitrary });

/** One step, submissions, placements and reports most often. */
export const jobSteps: fc.Arbitrary<JobStep> = fc.oneof(
  weighted(10, submit),
  weighted(
    12,
    fc.record({
      kind: is('place'),
      limit: fc.integer({ min: 1, max: 5 }),
      all: fc.constantFrom(true, true, false),
    }),
  ),
  weighted(14, fc.record({ kind: is('report'), what: reports, pick })),
  weighted(1, fc.record({ kind: is('stop'), pick })),
  weighted(2, fc.record({ kind: is('join'), ...host })),
  weighted(1, fc.record({ kind: is('resize'), pick, ...host })),
  weighted(
    2,
    fc.record({
      kind: is('health'),
      pick,
      health: fc.constantFrom<Health>('online', 'online', 'suspect', 'lost'),
    }),
  ),
  weighted(1, fc.record({ kind: is('drain'), pick, drainAsked: fc.boolean() })),
  weighted(1, fc.record({ kind: fc.constantFrom('remove' as const, 'revive' as const), pick })),
  weighted(
    2,
    fc.record({ kind: is('licences'), tool: fc.nat(2), tokens: fc.constantFrom(null, 0, 1, 2, 4) }),
  ),
  weighted(2, fc.record({ kind: is('configure'), change: settings })),
  weighted(
    7,
    fc.record({ kind: is('pass'), ms: fc.constantFrom(1, 1_000, HOUR / 3, HOUR, 30 * HOUR) }),
  ),
  weighted(1, fc.record({ kind: is('restore') })),
);
