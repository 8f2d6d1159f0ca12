import { lifecycleRig } from '../../test/support/lifecycle-rig';
import { TaskInstanceClients } from '../executors/task-instance.clients';
import { DoubtResolver } from './doubt-resolver';
import type { HealthIntervals } from './health-intervals';

const INTERVALS: HealthIntervals = {
  statusPollMs: 3_000,
  suspectMs: 10_000,
  lostMs: 20_000,
  ambiguityMs: 20_000,
  resultPollFirstMs: 50,
  resultPollMostMs: 3_000,
  resultPatienceMs: 10_000,
};

/** An attempt in doubt at a worker that cannot prove absence. */
function inDoubt() {
  const rig = lifecycleRig();
  const { fleet, lifecycle, doubts, recorder, clock, held } = rig;
  const clients = new TaskInstanceClients({});
  const resolver = new DoubtResolver(fleet, clients, lifecycle, doubts, recorder, INTERVALS, clock);
  doubts.add(held, clock.now());
  return { ...rig, resolver };
}

describe('DoubtResolver', () => {
  it('gives an attempt up when the ambiguity window is over', async () => {
    const { resolver, clock, doubts, held } = inDoubt();
    clock.advance(INTERVALS.ambiguityMs - 1);
    await resolver.tick();
    expect(held.attempt.state).toBe('live');
    clock.advance(1);
    await resolver.tick();
    expect(held.attempt.state).toBe('lost');
    expect(doubts.open()).toEqual([]);
  });

  it('gives nothing up while PostgreSQL is away, nor for a whole window afterwards', async () => {
    const { resolver, clock, journal, held } = inDoubt();
    journal.available = false;
    clock.advance(3 * INTERVALS.ambiguityMs);
    await resolver.tick();
    expect(held.attempt.state).toBe('live');
    journal.available = true;
    clock.advance(INTERVALS.ambiguityMs - 1);
    await resolver.tick();
    expect(held.attempt.state).toBe('live');
    clock.advance(1);
    await resolver.tick();
    expect(held.attempt.state).toBe('lost');
  });
});
