import { candidateOf } from '../../test/support/builders';
import { LeastLoadedStrategy } from './least-loaded.strategy';

describe('LeastLoadedStrategy', () => {
  const strategy = new LeastLoadedStrategy();

  it('binds when there is room, not before', () => {
    expect(strategy.binding).toBe('late');
  });

  it('puts first whose scarcest resource has the least share taken, whatever the size', () => {
    const [small, large] = [
      candidateOf('small', { slots: 2, load: 0.5 }),
      candidateOf('large', { slots: 64, load: 0.6 }),
    ];
    expect(strategy.rank(small)).toBeLessThan(strategy.rank(large));
  });
});
