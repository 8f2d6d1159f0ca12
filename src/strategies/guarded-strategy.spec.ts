import { Logger } from '@nestjs/common';
import { isRanked, type PlacementStrategy } from '../core/strategy';
import { strategyName } from '../core/units';
import { candidateOf, exactly } from '../../test/support/builders';
import { SeededRandom } from '../../test/support/seeded-random';
import { guard } from './guarded-strategy';

Logger.overrideLogger(false);

const candidates = [candidateOf('a'), candidateOf('b')] as const;
const context = { prediction: exactly(1), random: new SeededRandom(1) };
const base = { name: strategyName('custom'), binding: 'late' } as const;

function choiceOf(strategy: unknown): string {
  const guarded = guard({ ...base, ...(strategy as object) } as PlacementStrategy);
  if (isRanked(guarded)) throw new Error('a choosing one was given');
  return guarded.choose(candidates, context).instanceId;
}

function rankOf(rank: unknown): number {
  const guarded = guard({ ...base, rank } as PlacementStrategy);
  if (!isRanked(guarded)) throw new Error('a ranking one was given');
  return guarded.rank(candidates[0]);
}

describe('a strategy that somebody else wrote', () => {
  it('is believed while it behaves', () => {
    const second = candidates[1].instanceId;
    expect(choiceOf({ choose: () => ({ instanceId: second, reason: 'mine' }) })).toBe(second);
    expect(rankOf(() => 7)).toBe(7);
  });

  it.each([
    ['another candidate', 'b', 'b'],
    ['the chosen one', 'a', undefined],
    ['somebody else', 'nobody', undefined],
    ['nobody', undefined, undefined],
  ])('has a runner-up when it names %s: %s', (_, named, expected) => {
    const choose = () => ({ instanceId: 'a', reason: '', runnerUp: named });
    const guarded = guard({ ...base, choose } as unknown as PlacementStrategy);
    if (isRanked(guarded)) throw new Error('a choosing one was given');
    expect(guarded.choose(candidates, context).runnerUp).toBe(expected);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['answers nothing', () => undefined],
    ['answers what was not offered', () => ({ instanceId: 'nobody', reason: '' })],
  ])('costs no more than its choice when it %s', (_, choose) => {
    expect(choiceOf({ choose })).toBe(candidates[0].instanceId);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['answers no number', () => 'first'],
    ['answers NaN', () => NaN],
  ])('ranks last when its rank %s', (_, rank) => {
    expect(rankOf(rank)).toBe(Number.MAX_VALUE);
  });

  it('may fail after the placement', () => {
    const failing = {
      ...base,
      choose: () => ({}),
      placed: () => {
        throw new Error('boom');
      },
    };
    const guarded = guard(failing as unknown as PlacementStrategy);
    expect(
      () =>
        !isRanked(guarded) &&
        guarded.placed?.({ instanceId: candidates[0].instanceId, reason: '' }),
    ).not.toThrow();
  });
});
