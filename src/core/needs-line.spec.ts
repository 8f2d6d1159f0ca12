import * as fc from 'fast-check';
import { demandOf, exactly, jobOf, taskOf } from '../../test/support/builders';
import { NeedsLine } from './needs-line';
import type { Task } from './task';
import { instant, taskId } from './units';
import { WaitingLine } from './waiting-line';

const NOW = instant(1_000);
const linesIn = (line: NeedsLine): number => [...line.lines].length;

const jobs = fc.array(
  fc.record({
    cpu: fc.constantFrom(1, 2),
    priority: fc.constantFrom(0, 1),
    submitted: fc.nat(5),
    predicted: fc.nat(5),
    notBefore: fc.constantFrom(null, null, 500, 2_000, 3_000),
    leaves: fc.boolean(),
  }),
  { maxLength: 12 },
);

describe('NeedsLine', () => {
  it('keeps jobs of equal needs in one line', () => {
    const line = new NeedsLine(0);
    const tasks = [
      taskOf({ demand: demandOf(2), job: jobOf({ labels: { os: 'linux', disk: 'ssd' } }) }),
      taskOf({ demand: demandOf(2), job: jobOf({ labels: { disk: 'ssd', os: 'linux' } }) }),
      taskOf({ demand: demandOf(2), job: jobOf({ labels: { os: 'linux' } }) }),
      taskOf({ demand: demandOf(2), attemptTimeoutMs: 7, job: jobOf() }),
      taskOf({ demand: demandOf(2), job: jobOf({ tool: 'vcs' }) }),
    ];
    for (const task of tasks) line.add(task);
    expect([line.size, linesIn(line)]).toEqual([5, 4]);
    for (const task of tasks) expect(line.remove(task)).toBe(true);
    expect([line.size, linesIn(line), line.remove(tasks[0] ?? taskOf())]).toEqual([0, 0, false]);
  });

  it('shows what one line of all of them would show', () => {
    fc.assert(
      fc.property(jobs, fc.constantFrom(0, 2), (drawn, g) => {
        const [line, plain] = [new NeedsLine(0), new WaitingLine(0)];
        const tasks = drawn.map(({ cpu, submitted, predicted, notBefore, priority }, n) =>
          taskOf({
            id: taskId(`t-${String(n).padStart(3, '0')}`),
            ...{ demand: demandOf(cpu), job: jobOf(), priority },
            ...{ submittedAt: instant(submitted), prediction: exactly(predicted) },
            notBefore: notBefore === null ? null : instant(notBefore),
          }),
        );
        for (const task of tasks) for (const one of [line, plain]) one.add(task);
        for (const one of [line, plain]) one.reorder(g);
        tasks.forEach((task, n) => {
          if (drawn[n]?.leaves) for (const one of [line, plain]) one.remove(task);
        });
        expect(line.size).toBe(plain.size);
        expect(line.nextDue()).toBe(plain.nextDue());
        for (const task of tasks) expect(line.has(task)).toBe(plain.has(task));
        for (const task of tasks) {
          // Of two that stand alike, a plain line has the one first that came back first.
          expect(idsOf(line.before(task, NOW))).toEqual(idsOf(plain.before(task, NOW)));
        }
        expect(idsOf([...line.tasks()])).toEqual(idsOf([...plain.tasks()]));
      }),
    );
  });

  it('has the first of all at its head, once it is due', () => {
    const line = new NeedsLine(2);
    const aside = taskOf({
      demand: demandOf(1),
      job: jobOf(),
      priority: 9,
      notBefore: instant(5_000),
    });
    const long = taskOf({ demand: demandOf(2), job: jobOf(), prediction: exactly(100) });
    const short = taskOf({ demand: demandOf(4), job: jobOf(), prediction: exactly(10) });
    expect(line.head(NOW)).toBeUndefined();
    for (const task of [aside, long, short]) line.add(task);
    expect([line.head(NOW), line.head(instant(5_000))]).toEqual([short, aside]);
  });
});

function idsOf(tasks: readonly Task[]): readonly string[] {
  return tasks.map(({ id }) => id).sort();
}
