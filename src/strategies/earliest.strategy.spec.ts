import { candidateOf } from '../../test/support/builders';
import type { Candidate } from '../core/strategy';
import { EarliestStrategy } from './earliest.strategy';

describe('EarliestStrategy', () => {
  const strategy = new EarliestStrategy();
  const rank = (candidate: Candidate): number => strategy.rank(candidate);

  it('binds when a slot is free, not before', () => {
    expect(strategy.binding).toBe('late');
  });

  it('puts the faster instance first', () => {
    expect(rank(candidateOf('fast', { speed: 2 }))).toBeLessThan(rank(candidateOf('slow')));
  });

  it('puts the emptier of equally fast ones first', () => {
    const [half, most] = [0.5, 0.75].map((load) => candidateOf('i', { slots: 4, load }));
    if (!half || !most) throw new Error('two loads');
    expect(rank(half)).toBeLessThan(rank(most));
  });

  it('prefers a busy instance that is twice as fast to an idle one', () => {
    const busy = candidateOf('fast', { speed: 2, slots: 4, load: 0.75 });
    expect(rank(busy)).toBeLessThan(rank(candidateOf('idle')));
  });

  it('does not look at what is only planned: it may still go elsewhere', () => {
    expect(rank(candidateOf('a', { waiting: 90, mean: 5_000 }))).toBe(rank(candidateOf('b')));
  });
});
