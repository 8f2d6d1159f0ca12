import { candidateOf } from '../../test/support/builders';
import type { Candidate } from '../core/strategy';
import { ShortestQueueStrategy } from './shortest-queue.strategy';

function chosen(...candidates: readonly [Candidate, ...Candidate[]]): string {
  return new ShortestQueueStrategy().choose(candidates).instanceId;
}

describe('ShortestQueueStrategy', () => {
  it('binds at submission', () => {
    expect(new ShortestQueueStrategy().binding).toBe('early');
  });

  it('takes the least expected wait, whatever its error and its count', () => {
    const short = candidateOf('short', { mean: 90, variance: 1e6, waiting: 50 });
    expect(chosen(candidateOf('long', { mean: 100 }), short)).toBe('short');
  });

  it('takes the least error among equal waits, whatever the count', () => {
    const sure = candidateOf('sure', { mean: 100, variance: 25, waiting: 9 });
    expect(chosen(candidateOf('vague', { mean: 100, variance: 36 }), sure)).toBe('sure');
  });

  it('takes the fewest tasks among equal waits and errors, running ones counted', () => {
    const two = candidateOf('two', { mean: 100, occupied: 1, waiting: 1 });
    const three = candidateOf('three', { mean: 100, occupied: 3, waiting: 0 });
    expect(chosen(three, two)).toBe('two');
  });

  it('takes the first of true equals', () => {
    expect(chosen(candidateOf('a'), candidateOf('b'))).toBe('a');
  });

  it('names the wait', () => {
    const { reason } = new ShortestQueueStrategy().choose([candidateOf('a', { mean: 12.34 })]);
    expect(reason).toBe('shortest_queue: least wait, 12.3 ms');
  });
});
