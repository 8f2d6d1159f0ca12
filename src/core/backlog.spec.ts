import * as fc from 'fast-check';
import { exactly, heldOf, quartiles, taskOf } from '../../test/support/builders';
import { SeededRandom } from '../../test/support/seeded-random';
import { Backlog, type Held } from './backlog';
import { sumMoments, type Moments } from './distribution';
import { ONE_SLOT } from './resources';
import type { Task } from './task';
import { instant } from './units';

const NOW = instant(1_000);
const ONE = { slots: 1, speed: 1 };
const random = (): SeededRandom => new SeededRandom(11);

function running(ms: number, since = 1_000): Held {
  return heldOf(taskOf({ prediction: exactly(ms) }), { runningSince: instant(since) });
}

function waiting(ms: number): Task {
  return taskOf({ prediction: exactly(ms) });
}

function backlogOf(held: readonly Held[], planned: readonly Task[] = []): Backlog {
  const backlog = new Backlog();
  for (const one of held) backlog.hold(one);
  for (const task of planned) backlog.plan(task);
  return backlog;
}

/** When the first of the slots is free again, each piece going to the slot that is free first. */
function listSchedule(pieces: readonly number[], slots: number): number {
  const ends = new Array<number>(slots).fill(0);
  for (const piece of pieces) {
    ends.sort((a, b) => a - b);
    ends[0] = (ends[0] ?? 0) + piece;
  }
  return Math.min(...ends);
}

describe('Backlog', () => {
  describe('wait', () => {
    it('is nothing while a slot is free', () => {
      expect(new Backlog().wait(ONE, NOW).mean).toBe(0);
      expect(backlogOf([running(500)]).wait({ slots: 2, speed: 1 }, NOW).mean).toBe(0);
    });

    it('is what remains of the running task, plus those that wait', () => {
      const wait = backlogOf([running(500, 800)], [waiting(70), waiting(30)]).wait(ONE, NOW);
      expect(wait.mean).toBeCloseTo(300 + 70 + 30, 9);
      expect(wait.deviation).toBe(0);
    });

    it('moves with the clock', () => {
      const backlog = backlogOf([running(500)]);
      const waits = [1_000, 1_200, 1_500].map((now) => backlog.wait(ONE, instant(now)).mean);
      expect(waits).toEqual([500, 300, 0]);
    });

    it('is longer again when the task runs over its prediction', () => {
      expect(backlogOf([running(500)]).wait(ONE, instant(2_500)).mean).toBeCloseTo(100, 9);
    });

    it('counts an attempt that no slot has begun in full', () => {
      const sentAhead = heldOf(taskOf({ prediction: exactly(40) }));
      expect(backlogOf([running(500, 600), sentAhead]).wait(ONE, NOW).mean).toBeCloseTo(140, 9);
    });

    it('ends with the first slot, not with the sum', () => {
      const backlog = backlogOf([running(300), running(500)], [waiting(100), waiting(50)]);
      expect(backlog.wait({ slots: 2, speed: 1 }, NOW).mean).toBeCloseTo(450, 9);
      expect(backlog.wait({ slots: 3, speed: 1 }, NOW).mean).toBeCloseTo(150, 9);
    });

    it('is a list schedule over any slots', () => {
      const pieces = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 20 });
      fc.assert(
        fc.property(pieces, pieces, fc.integer({ min: 1, max: 6 }), (first, second, slots) => {
          const backlog = backlogOf(
            first.map((ms) => running(ms)),
            second.map(waiting),
          );
          const expected = listSchedule([...first, ...second], slots);
          expect(backlog.wait({ slots, speed: 1 }, NOW).mean).toBeCloseTo(expected, 9);
        }),
      );
    });

    it('shrinks with the speed, the elapsed part too', () => {
      const backlog = backlogOf([running(500, 900)], [waiting(100)]);
      // 100 ms at double speed are 200 ms of work; 300 + 100 remain and take half the time.
      expect(backlog.wait({ slots: 1, speed: 2 }, NOW).mean).toBeCloseTo(200, 9);
    });

    it('adds work that is not ours, even while a slot of ours is free', () => {
      const backlog = backlogOf([running(500)]);
      backlog.observeForeign(60, NOW);
      expect(backlog.wait(ONE, NOW).mean).toBeCloseTo(560, 9);
      expect(backlog.wait({ slots: 2, speed: 1 }, NOW).mean).toBe(60);
    });

    it('has the summed variance of what stands before the slot', () => {
      const { serviceTime } = quartiles(100, 200, 400);
      const planned = [taskOf({ prediction: quartiles(100, 200, 400) }), taskOf()];
      const wait = backlogOf([], planned).wait({ slots: 1, speed: 2 }, NOW);
      expect(wait.variance).toBeCloseTo(serviceTime.variance / 4, 6);
      expect(wait.deviation).toBeCloseTo(serviceTime.deviation / 2, 6);
    });

    it('does not need a slot to be answered', () => {
      expect(backlogOf([running(80)]).wait({ slots: 0, speed: 1 }, NOW).mean).toBe(80);
    });

    it('takes more than 64 waiting tasks as one mass that all slots share', () => {
      const many = (count: number): Backlog =>
        backlogOf(
          [running(100), running(100), running(100), running(100)],
          Array.from({ length: count }, () => waiting(40)),
        );
      const pace = { slots: 4, speed: 2 };
      expect(many(64).wait(pace, NOW).mean).toBeCloseTo(50 + 16 * 20, 9);
      expect(many(65).wait(pace, NOW).mean).toBeCloseTo(50 + (65 * 40) / 8, 9);
      expect(many(4_000).wait(pace, NOW).mean).toBeCloseTo(50 + (4_000 * 40) / 8, 6);
    });

    it('of that mass has a variance that shrinks with the slots', () => {
      const task = taskOf({ prediction: quartiles(100, 200, 400) });
      const { variance } = task.prediction.serviceTime;
      const planned = Array.from({ length: 100 }, () => taskOf({ prediction: task.prediction }));
      const wait = backlogOf([], planned).wait({ slots: 2, speed: 1 }, NOW);
      expect(wait.variance).toBeCloseTo((100 * variance) / 4, 3);
    });
  });

  describe('a drawn wait', () => {
    const draws = (backlog: Backlog, pace = ONE, count = 20_000): Moments => {
      const chance = random();
      const wait = backlog.wait(pace, NOW);
      const drawn = Array.from({ length: count }, () => wait.sample(chance));
      const mean = drawn.reduce((sum, value) => sum + value, 0) / count;
      const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
      return { mean, variance };
    };
    const several = (count: number): Task[] =>
      Array.from({ length: count }, () => taskOf({ prediction: quartiles(100, 200, 400) }));

    it.each([
      ['few tasks, drawn one by one', 7],
      ['many tasks, drawn from one normal distribution', 8],
      ['more than the list schedule takes', 70],
    ])('has the moments of the wait: %s', (_name, planned) => {
      const task = taskOf({ prediction: quartiles(500, 800, 1_000) });
      const backlog = backlogOf([heldOf(task, { runningSince: instant(400) })], several(planned));
      backlog.observeForeign(50, NOW);
      const { mean, deviation } = backlog.wait(ONE, NOW);
      const drawn = draws(backlog);
      expect(Math.abs(drawn.mean - mean)).toBeLessThan(0.02 * mean);
      expect(Math.abs(Math.sqrt(drawn.variance) - deviation)).toBeLessThan(0.05 * deviation);
    });

    it('is drawn in the units of the speed', () => {
      const { mean } = draws(backlogOf([running(500, 900)], [waiting(100)]), {
        slots: 1,
        speed: 2,
      });
      expect(mean).toBeCloseTo(200, 6);
    });

    it('of two slots is the earlier end: less than either of the two', () => {
      const backlog = backlogOf([], several(2));
      const { mean } = draws(backlog, { slots: 2, speed: 1 });
      expect(mean).toBeLessThan(0.8 * quartiles(100, 200, 400).serviceTime.mean);
    });

    it('is never negative, and counts the work that is not ours', () => {
      const backlog = backlogOf([], several(12));
      backlog.observeForeign(30, NOW);
      const chance = random();
      const wait = backlog.wait(ONE, NOW);
      for (let i = 0; i < 500; i++) expect(wait.sample(chance)).toBeGreaterThanOrEqual(0);
      const idle = backlogOf([]);
      idle.observeForeign(30, NOW);
      expect(idle.wait(ONE, NOW).sample(chance)).toBe(30);
    });
  });

  describe('work that is not ours', () => {
    it('is worked off as time passes, until it is reported anew', () => {
      const backlog = new Backlog();
      backlog.observeForeign(100, NOW);
      expect([1_000, 1_030, 1_100, 5_000].map((now) => backlog.foreignMs(instant(now)))).toEqual([
        100, 70, 0, 0,
      ]);
      backlog.observeForeign(40, instant(5_000));
      expect(backlog.wait(ONE, instant(5_010)).mean).toBe(30);
    });

    it('is kept apart from our own, which is what remains of the attempts there', () => {
      const backlog = backlogOf([running(500, 900), running(100)], [waiting(60)]);
      backlog.observeForeign(100, NOW);
      expect(backlog.ownMs(ONE, NOW)).toBeCloseTo(400 + 100, 9);
      expect(backlog.ownMs({ slots: 2, speed: 2 }, NOW)).toBeCloseTo((150 + 50) / 2, 9);
    });
  });

  describe('drainsAt', () => {
    it('takes all work at the speed of the instance', () => {
      const backlog = backlogOf([running(500, 900)], [waiting(60), waiting(40)]);
      expect(backlog.drainsAt({ slots: 1, speed: 2 }, NOW)).toBeCloseTo(1_000 + 150 + 50, 9);
    });

    it('is when all of it would be done, spread over the slots', () => {
      const backlog = backlogOf([running(500, 900), running(100)], [waiting(60), waiting(40)]);
      backlog.observeForeign(5, NOW);
      expect(backlog.drainsAt({ slots: 2, speed: 1 }, NOW)).toBeCloseTo(1_000 + 5 + 600 / 2, 9);
      expect(backlog.drainsAt({ slots: 0, speed: 1 }, NOW)).toBeCloseTo(1_000 + 5 + 600, 9);
      expect(new Backlog().drainsAt(ONE, NOW)).toBe(NOW);
    });
  });

  describe('what is planned', () => {
    const steps = fc.array(fc.record({ add: fc.boolean(), index: fc.nat() }), { maxLength: 120 });

    it('is the sum over the tasks that wait, after any sequence', () => {
      fc.assert(
        fc.property(steps, (sequence) => {
          const backlog = new Backlog();
          const tasks: Task[] = [];
          for (const { add, index } of sequence) {
            if (add) {
              const task = taskOf({ prediction: quartiles(index % 50, 60, 60 + (index % 70)) });
              tasks.push(task);
              backlog.plan(task);
            } else {
              const [gone] = tasks.splice(index % Math.max(1, tasks.length), 1);
              if (gone) backlog.unplan(gone);
            }
          }
          expect([...backlog.plannedTasks()]).toEqual(tasks);
          expect(backlog.plannedCount).toBe(tasks.length);
          const { mean, variance } = sumMoments(tasks.map((task) => task.prediction.serviceTime));
          expect(backlog.plannedMoments.mean).toBeCloseTo(mean, 6);
          expect(backlog.plannedMoments.variance).toBeCloseTo(variance, 4);
        }),
      );
    });

    it('does not mind a task that was not planned here', () => {
      const backlog = backlogOf([], [waiting(10)]);
      backlog.unplan(waiting(10));
      expect(backlog.plannedMoments.mean).toBe(10);
    });
  });

  describe('what is held', () => {
    it('lets the oldest attempts run while slots are free', () => {
      const held = [1, 2, 3].map(() => heldOf(taskOf()));
      const backlog = backlogOf(held);
      backlog.advance(2, instant(50));
      expect(held.map(({ attempt }) => attempt.runningSince)).toEqual([50, 50, null]);
    });

    it('lets the next one run when one has ended, and keeps the times of the others', () => {
      const held = [1, 2, 3].map(() => heldOf(taskOf()));
      const backlog = backlogOf(held);
      backlog.advance(2, instant(50));
      const [first] = held;
      if (first) backlog.letGo(first.attempt);
      backlog.advance(2, instant(80));
      expect(held.map(({ attempt }) => attempt.runningSince)).toEqual([50, 50, 80]);
    });

    it('is let go once', () => {
      const one = heldOf(taskOf());
      const backlog = backlogOf([one]);
      expect([backlog.letGo(one.attempt), backlog.letGo(one.attempt)]).toEqual([true, false]);
      expect(backlog.heldCount).toBe(0);
    });

    it('takes resources as long as it is there', () => {
      const held = [1, 2].map(() => heldOf(taskOf({ demand: { ...ONE_SLOT, cpu: 0.5 } })));
      const backlog = backlogOf(held);
      expect(backlog.used).toEqual({ slots: 2, cpu: 1, memoryGb: 0, gpuMemoryGb: 0 });
      for (const { attempt } of held) backlog.letGo(attempt);
      expect(backlog.used.slots).toBe(0);
    });
  });
});
