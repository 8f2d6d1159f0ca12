import { candidateOf } from '../../test/support/builders';
import { isNonEmpty } from '../core/units';
import { RoundRobinStrategy } from './round-robin.strategy';

/** Whose turn it is among those, and takes it. */
function turn(strategy: RoundRobinStrategy, ids: string): string {
  const candidates = Array.from(ids, (id) => candidateOf(id));
  if (!isNonEmpty(candidates)) throw new Error('nobody is fit');
  const choice = strategy.choose(candidates);
  strategy.placed(choice);
  return choice.instanceId;
}

describe('RoundRobinStrategy', () => {
  it('binds at submission', () => {
    expect(new RoundRobinStrategy().binding).toBe('early');
  });

  it('goes round in the order of ids, whatever the order of the candidates', () => {
    const strategy = new RoundRobinStrategy();
    const turns = ['bca', 'acb', 'cab', 'abc', 'cba'].map((ids) => turn(strategy, ids));
    expect(turns.join('')).toBe('abcab');
  });

  it('passes over those that are not fit, and comes back to them', () => {
    const strategy = new RoundRobinStrategy();
    const turns = ['abc', 'ac', 'abc', 'abc'].map((ids) => turn(strategy, ids));
    expect(turns.join('')).toBe('acab');
  });

  it('goes on behind the last one although that has gone', () => {
    const strategy = new RoundRobinStrategy();
    expect(['abc', 'abc', 'ac'].map((ids) => turn(strategy, ids)).join('')).toBe('abc');
  });

  it('gives everybody the same share', () => {
    const strategy = new RoundRobinStrategy();
    const turns = Array.from({ length: 40 }, () => turn(strategy, 'dbca'));
    for (const id of 'abcd') expect(turns.filter((other) => other === id)).toHaveLength(10);
  });

  it('moves on only when its choice has held', () => {
    const strategy = new RoundRobinStrategy();
    turn(strategy, 'abc');
    const candidates = [candidateOf('a'), candidateOf('b')] as const;
    expect(strategy.choose(candidates).instanceId).toBe('b');
    expect(strategy.choose(candidates).instanceId).toBe('b');
  });

  it('keeps a turn of its own per queue', () => {
    turn(new RoundRobinStrategy(), 'ab');
    expect(turn(new RoundRobinStrategy(), 'ab')).toBe('a');
  });
});
