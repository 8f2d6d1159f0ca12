import { candidateOf } from '../../test/support/builders';
import { NOTHING, type Resources } from '../core/resources';
import { BestFitStrategy } from './best-fit.strategy';

describe('BestFitStrategy', () => {
  const strategy = new BestFitStrategy();
  const rank = (room: Partial<Resources>): number =>
    strategy.rank(candidateOf('i', { room: { ...NOTHING, ...room } }));

  it('binds when there is room, not before', () => {
    expect(strategy.binding).toBe('late');
  });

  it('puts first who has the fewest cores free, though it is the less loaded one', () => {
    expect(rank({ cpu: 12, memoryGb: 89 })).toBeLessThan(rank({ cpu: 40, memoryGb: 10 }));
  });

  it('lets memory, and then slots, decide between equal ones', () => {
    expect(rank({ cpu: 4, memoryGb: 8 })).toBeLessThan(rank({ cpu: 4, memoryGb: 64 }));
    expect(rank({ slots: 1 })).toBeLessThan(rank({ slots: 2 }));
  });
});
