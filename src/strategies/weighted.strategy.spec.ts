import { candidateOf } from '../../test/support/builders';
import { WeightedStrategy } from './weighted.strategy';

const SURE = candidateOf('sure', { mean: 120, variance: 0 });
const VAGUE = candidateOf('vague', { mean: 100, variance: 50 ** 2 });

describe('WeightedStrategy', () => {
  it('binds at submission', () => {
    expect(new WeightedStrategy().binding).toBe('early');
  });

  it.each([
    [0, 'vague'],
    [0.39, 'vague'],
    [0.41, 'sure'],
    [1, 'sure'],
  ])('takes the least expected wait plus %d times its error', (weight, expected) => {
    const strategy = new WeightedStrategy(weight);
    expect(strategy.choose([VAGUE, SURE]).instanceId).toBe(expected);
    expect(strategy.choose([SURE, VAGUE]).instanceId).toBe(expected);
  });

  it('weighs the error by a half unless told otherwise', () => {
    const strategy = new WeightedStrategy();
    const even = candidateOf('even', { mean: 125 });
    expect(strategy.choose([candidateOf('more', { mean: 125.1 }), VAGUE]).instanceId).toBe('vague');
    expect(strategy.choose([VAGUE, candidateOf('less', { mean: 124.9 })]).instanceId).toBe('less');
    expect(strategy.choose([VAGUE, even]).reason).toBe('weighted: least weighted wait, 125.0 ms');
  });
});
