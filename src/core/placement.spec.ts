import {
  CIRCUIT,
  decisionOf,
  exactly,
  heldOf,
  instanceOf,
  QUEUE,
  settingsOf,
  taskOf,
} from '../../test/support/builders';
import { SeededRandom } from '../../test/support/seeded-random';
import { EarliestStrategy } from '../strategies/earliest.strategy';
import { ShortestQueueStrategy } from '../strategies/shortest-queue.strategy';
import type { Instance } from './instance';
import { CANDIDATE_LIMIT, decide, reasons, unfit } from './placement';
import { Queue } from './queue';
import { ONE_SLOT } from './resources';
import type { Candidate, ChoosingStrategy, PlacementStrategy, RankedStrategy } from './strategy';
import type { Decision } from './task';
import { instanceId, instant, strategyName } from './units';

const NOW = instant(1_000);

function queueOf(strategy: PlacementStrategy, instances: readonly Instance[], prefetch = 0): Queue {
  const settings = settingsOf(strategy.name, { prefetch });
  const queue = new Queue(QUEUE, settings, strategy, ONE_SLOT);
  for (const instance of instances) {
    queue.attach(instance);
    queue.refresh(instance, NOW);
  }
  return queue;
}

function busy(id: string, remainingMs: number, slots = 1): Instance {
  const instance = instanceOf(id, slots);
  for (let i = 0; i < slots; i++) {
    const task = taskOf({ prediction: exactly(remainingMs) });
    instance.backlog.hold(heldOf(task, { runningSince: NOW }));
  }
  return instance;
}

/** Takes the last candidate, and remembers what it was shown. */
class LastStrategy implements ChoosingStrategy {
  readonly name = strategyName('last');
  shown: readonly Candidate[] = [];

  constructor(readonly binding: 'late' | 'early') {}

  choose(candidates: readonly [Candidate, ...Candidate[]]) {
    this.shown = candidates;
    const last = candidates.at(-1) ?? candidates[0];
    return { instanceId: last.instanceId, reason: 'the last one' };
  }
}

/** What was decided, with the id of the instance: `now fast`, `bound a`, `waiting`. */
function decision(queue: Queue, task = taskOf()): string {
  const placement = decide(queue, task, NOW, new SeededRandom());
  return placement.kind === 'waiting' ? 'waiting' : `${placement.kind} ${placement.instance.id}`;
}

/** The record of what is decided, which must be something. */
function recordIn(queue: Queue, task = taskOf()): Decision {
  const placement = decide(queue, task, NOW, new SeededRandom());
  if (placement.kind === 'waiting') throw new Error('nothing was decided');
  return placement.decision;
}

describe('decide', () => {
  describe('with late binding', () => {
    it('takes the fastest instance with a free slot', () => {
      const [slow, fast, taken] = [instanceOf('slow'), instanceOf('fast'), busy('taken', 1)];
      fast.learnedSpeed.declared = 2;
      taken.learnedSpeed.declared = 9;
      const queue = queueOf(new EarliestStrategy(), [slow, fast, taken]);
      expect(decision(queue)).toBe('now fast');
      expect(decide(queue, taskOf(), NOW, new SeededRandom())).toMatchObject({
        reason: 'earliest: first in rank (-2.000)',
      });
    });

    it('waits while no slot is free', () => {
      expect(decision(queueOf(new EarliestStrategy(), [busy('a', 1)]))).toBe('waiting');
      expect(decision(queueOf(new LastStrategy('late'), [busy('a', 1)]))).toBe('waiting');
    });

    it('sends ahead only when no slot is free', () => {
      const [fast, slow] = [busy('fast', 1), instanceOf('slow')];
      fast.learnedSpeed.declared = 9;
      const queue = queueOf(new EarliestStrategy(), [fast, slow], 1);
      expect(decision(queue)).toBe(`now ${slow.id}`);
      slow.backlog.hold(heldOf(taskOf()));
      queue.refresh(slow, NOW);
      expect(decision(queue)).toBe(`now ${fast.id}`);
    });

    it('shows a choosing strategy those with a free slot', () => {
      const strategy = new LastStrategy('late');
      const [a, b] = [instanceOf('a'), instanceOf('b')];
      const queue = queueOf(strategy, [a, busy('c', 1), b]);
      expect(decision(queue)).toBe(`now ${b.id}`);
      expect(strategy.shown.map((candidate) => candidate.instanceId)).toEqual(['a', 'b']);
    });
  });

  describe('with early binding', () => {
    it('starts at once where a slot is free', () => {
      const idle = instanceOf('idle');
      const queue = queueOf(new ShortestQueueStrategy(), [busy('a', 50), idle]);
      expect(decision(queue)).toBe(`now ${idle.id}`);
    });

    it('binds to an instance that is busy', () => {
      const shortest = busy('b', 10);
      const queue = queueOf(new ShortestQueueStrategy(), [busy('a', 50), shortest]);
      expect(decision(queue)).toBe(`bound ${shortest.id}`);
    });

    it('does not overtake those who are bound already', () => {
      const instance = instanceOf('a');
      const queue = queueOf(new ShortestQueueStrategy(), [instance]);
      const before = taskOf();
      queue.join(before, NOW);
      queue.bind(before, instance, decisionOf(), NOW);
      expect(decision(queue)).toBe(`bound ${instance.id}`);
    });

    it('waits when no instance could take it', () => {
      const gone = instanceOf('a', 1, { health: 'suspect' });
      const draining = instanceOf('b', 1, { drainAsked: true });
      const queue = queueOf(new ShortestQueueStrategy(), [gone, draining]);
      expect(decision(queue)).toBe('waiting');
    });

    it('ranks among all that fit when the strategy ranks', () => {
      const fewest: RankedStrategy = {
        name: strategyName('fewest'),
        binding: 'early',
        rank: ({ occupied }) => occupied,
      };
      const least = busy('b', 10, 2);
      const queue = queueOf(fewest, [busy('a', 50, 3), least, busy('c', 50, 3)]);
      expect(decision(queue)).toBe(`bound ${least.id}`);
    });
  });

  describe('after a loss', () => {
    const strategies: readonly [string, () => PlacementStrategy][] = [
      ['late and ranked', () => new EarliestStrategy()],
      ['late and choosing', () => new LastStrategy('late')],
      ['early', () => new LastStrategy('early')],
    ];

    it.each(strategies)('goes elsewhere: %s', (_name, make) => {
      for (const [avoided, other] of [
        ['a', 'b'],
        ['b', 'a'],
      ] as const) {
        const queue = queueOf(make(), [instanceOf('a'), instanceOf('b')]);
        const task = taskOf({ avoid: instanceId(avoided) });
        expect(decision(queue, task)).toBe(`now ${other}`);
        expect(recordIn(queue, task)).toMatchObject({
          candidates: 1,
          runnerUp: null,
          unfitBecause: { avoided: 1 },
        });
      }
    });

    it.each(strategies)('goes back when there is no other: %s', (_name, make) => {
      const a = instanceOf('a');
      const task = taskOf({ avoid: a.id });
      const queue = queueOf(make(), [a]);
      expect(decision(queue, task)).toBe(`now ${a.id}`);
      expect(recordIn(queue, task)).toMatchObject({ candidates: 1, unfitBecause: {} });
    });

    it('does not spend the last attempt on an instance on trial that lost the others', () => {
      const onTrial = (): Instance => {
        const bad = instanceOf('bad');
        for (let n = 0; n < CIRCUIT.faults; n++) bad.circuit.faulted(NOW, NOW, CIRCUIT);
        bad.circuit.retry(NOW);
        return bad;
      };
      const task = taskOf();
      for (let n = 1; n < task.maxAttempts; n++) {
        heldOf(task, { state: 'lost', instanceId: instanceId('bad') });
      }
      const earlier = taskOf();
      heldOf(earlier, { state: 'lost', instanceId: instanceId('bad') });
      expect(decision(queueOf(new EarliestStrategy(), [onTrial()]), task)).toBe('now bad');
      const both = queueOf(new EarliestStrategy(), [onTrial(), busy('other', 1)]);
      const free = queueOf(new EarliestStrategy(), [onTrial(), instanceOf('other')]);
      expect(decision(free, task)).toBe('now other');
      const decisions = [task, earlier, taskOf()].map((one) => decision(both, one));
      expect(decisions).toEqual(['waiting', 'now bad', 'now bad']);
    });
  });

  describe('records', () => {
    it('what a late strategy expected, and whom it would have taken instead', () => {
      const [fast, slow, taken] = [instanceOf('fast'), instanceOf('slow'), busy('taken', 500)];
      const draining = instanceOf('draining', 1, { drainAsked: true });
      fast.learnedSpeed.declared = 2;
      slow.backlog.observeForeign(30, NOW);
      // Planned, but behind a task that has its turn now.
      fast.backlog.plan(taskOf());
      const queue = queueOf(new EarliestStrategy(), [slow, draining, fast, taken]);
      expect(recordIn(queue, taskOf({ prediction: exactly(100) }))).toEqual({
        strategy: 'earliest',
        decidedAt: NOW,
        candidates: 2,
        waitMs: 0,
        completionMs: 50,
        runnerUp: { instanceId: 'slow', waitMs: 30, completionMs: 130 },
        unfitBecause: { draining: 1, busy: 1 },
      });
    });

    it('that an instance was busy to which a task is sent ahead only without a free slot', () => {
      const [free, ahead] = [instanceOf('free'), busy('ahead', 40)];
      const queue = queueOf(new EarliestStrategy(), [free, ahead], 1);
      expect(recordIn(queue)).toMatchObject({
        candidates: 1,
        runnerUp: null,
        unfitBecause: { busy: 1 },
      });
      free.backlog.hold(heldOf(taskOf({ prediction: exactly(90) }), { runningSince: NOW }));
      queue.refresh(free, NOW);
      expect(recordIn(queue)).toMatchObject({
        candidates: 2,
        waitMs: 40,
        completionMs: 140,
        runnerUp: { instanceId: 'free', waitMs: 90, completionMs: 190 },
        unfitBecause: {},
      });
    });

    it('that a free instance was avoided for one that is less ready', () => {
      const [free, ahead, taken] = [instanceOf('free'), busy('ahead', 40), busy('taken', 40)];
      taken.backlog.hold(heldOf(taskOf()));
      const queue = queueOf(new EarliestStrategy(), [free, ahead, taken], 1);
      const task = taskOf({ avoid: free.id });
      expect(decision(queue, task)).toBe('now ahead');
      expect(recordIn(queue, task)).toMatchObject({
        candidates: 1,
        runnerUp: null,
        unfitBecause: { avoided: 1, busy: 1 },
      });
    });

    it('what an early strategy expected, behind what waits there', () => {
      const [short, long] = [busy('short', 10), busy('long', 50)];
      const lost = instanceOf('lost', 1, { health: 'lost' });
      short.backlog.plan(taskOf({ prediction: exactly(7) }));
      const queue = queueOf(new ShortestQueueStrategy(), [long, lost, short]);
      expect(recordIn(queue, taskOf({ prediction: exactly(100) }))).toEqual({
        strategy: 'shortest_queue',
        decidedAt: NOW,
        candidates: 2,
        waitMs: 17,
        completionMs: 117,
        runnerUp: { instanceId: 'long', waitMs: 50, completionMs: 150 },
        unfitBecause: { lost: 1 },
      });
    });

    it('no runner-up where the strategy names none', () => {
      const queue = queueOf(new LastStrategy('early'), [instanceOf('a'), instanceOf('b')]);
      expect(recordIn(queue)).toMatchObject({ candidates: 2, runnerUp: null });
    });
  });

  it('shows no more than 1 000 candidates, each of them sometimes', () => {
    const instances = Array.from({ length: CANDIDATE_LIMIT + 500 }, (_, i) => instanceOf(`i-${i}`));
    const strategy = new LastStrategy('early');
    const queue = queueOf(strategy, instances);
    const random = new SeededRandom(5);
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      decide(queue, taskOf(), NOW, random);
      const ids = strategy.shown.map((candidate) => candidate.instanceId);
      expect(new Set(ids).size).toBe(CANDIDATE_LIMIT);
      for (const id of ids) seen.add(id);
    }
    expect(seen.size).toBe(instances.length);
  });

  it('reports a defect when a strategy chooses what was not offered', () => {
    const rogue: ChoosingStrategy = {
      name: strategyName('rogue'),
      binding: 'early',
      choose: () => ({ instanceId: instanceId('elsewhere'), reason: '' }),
    };
    expect(() => decision(queueOf(rogue, [instanceOf('a')]))).toThrow(
      'strategy rogue chose elsewhere, which was not offered',
    );
  });

  it('changes nothing', () => {
    const instance = busy('a', 10);
    const queue = queueOf(new ShortestQueueStrategy(), [instance]);
    const task = taskOf();
    queue.join(task, NOW);
    const before = { ...task };
    decision(queue, task);
    expect([task, queue.waiting, instance.line.size]).toEqual([before, 1, 0]);
  });
});

describe('reasons', () => {
  it('counts why no instance can take the task now', () => {
    const instances = [
      instanceOf('a', 1, { drainAsked: true }),
      instanceOf('b', 1, { health: 'lost' }),
      instanceOf('c', 1, { health: 'lost' }),
      busy('d', 10),
    ];
    const queue = queueOf(new EarliestStrategy(), instances);
    expect(reasons(queue, taskOf(), NOW)).toEqual({ draining: 1, lost: 2, busy: 1 });
    expect(unfit(queue, ONE_SLOT, NOW)).toEqual({ draining: 1, lost: 2 });
    queue.configure(settingsOf('earliest', { paused: true }), undefined);
    const paused = { draining: 1, lost: 2, paused: 1 };
    expect(reasons(queue, taskOf(), NOW)).toEqual(paused);
    expect(unfit(queue, ONE_SLOT, NOW)).toEqual(paused);
  });
});
