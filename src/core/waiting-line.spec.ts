import * as fc from 'fast-check';
import { exactly, taskOf } from '../../test/support/builders';
import type { Task } from './task';
import { instant, type Instant } from './units';
import { WaitingLine } from './waiting-line';

const START = instant(10_000);

function lineOf(g: number, ...tasks: readonly Task[]): WaitingLine {
  const line = new WaitingLine(g);
  for (const task of tasks) line.add(task);
  return line;
}

/** Takes everybody who is ready, in the order of their turns. */
function drain(line: WaitingLine, now: Instant = START): Task[] {
  const order: Task[] = [];
  for (let head = line.head(now); head; head = line.head(now)) {
    order.push(head);
    line.remove(head);
  }
  return order;
}

describe('WaitingLine', () => {
  const early = taskOf({ submittedAt: instant(0), prediction: exactly(5_000) });
  const late = taskOf({ submittedAt: instant(1_000), prediction: exactly(100) });

  it('serves whoever came first when g is 0', () => {
    expect(drain(lineOf(0, late, early))).toEqual([early, late]);
  });

  it('lets a short task overtake by g times what it is shorter', () => {
    expect(drain(lineOf(0.2, early, late))).toEqual([early, late]);
    expect(drain(lineOf(0.21, early, late))).toEqual([late, early]);
  });

  it('starves nobody: age outweighs any length', () => {
    const longAgo = taskOf({ submittedAt: instant(0), prediction: exactly(5_000) });
    const news = [10_001, 10_002, 10_003].map((submittedAt) =>
      taskOf({ submittedAt: instant(submittedAt), prediction: exactly(0) }),
    );
    expect(lineOf(2, ...news, longAgo).head(START)).toBe(longAgo);
  });

  it('puts priority above every other order', () => {
    const urgent = taskOf({
      submittedAt: instant(9_000),
      priority: 1,
      prediction: exactly(90_000),
    });
    const idle = taskOf({ submittedAt: instant(0), priority: -1 });
    expect(drain(lineOf(2, idle, early, late, urgent))).toEqual([urgent, late, early, idle]);
  });

  it('serves equals in the order of their submission, whenever they joined', () => {
    const equals = Array.from({ length: 5 }, () => taskOf());
    expect(drain(lineOf(2, ...[...equals].reverse()))).toEqual(equals);
  });

  it('leaves the head in line', () => {
    const line = lineOf(0, early);
    expect(line.head(START)).toBe(early);
    expect(line.head(START)).toBe(early);
    expect(line.size).toBe(1);
  });

  it('lets a task in backoff stand aside until its time', () => {
    const waits = taskOf({ submittedAt: instant(0), notBefore: instant(12_000) });
    const line = lineOf(0, waits, late);
    expect(line.nextDue()).toBe(12_000);
    expect(line.head(instant(11_999))).toBe(late);
    expect(line.head(instant(12_000))).toBe(waits);
    expect(line.nextDue()).toBeUndefined();
  });

  it('is not fooled by a task that comes back with another backoff', () => {
    const [first, second, third] = [14_000, 15_000, 16_000].map((notBefore) =>
      taskOf({ notBefore: instant(notBefore) }),
    ) as [Task, Task, Task];
    const line = lineOf(0, first, second, third);
    line.remove(second);
    second.notBefore = instant(13_000);
    line.add(second);
    expect(line.nextDue()).toBe(13_000);
    expect(drain(line, instant(13_000))).toEqual([second]);
    expect(drain(line, instant(16_000))).toEqual([first, third]);
  });

  it('says whether a task was here', () => {
    const line = lineOf(0, early);
    expect([line.has(early), line.has(late)]).toEqual([true, false]);
    expect([line.remove(late), line.remove(early), line.remove(early)]).toEqual([
      false,
      true,
      false,
    ]);
    expect(line.size).toBe(0);
  });

  it('takes a task in again that has left', () => {
    const line = lineOf(0, early, late);
    line.remove(early);
    line.add(early);
    expect(drain(line)).toEqual([early, late]);
  });

  it('orders everybody anew by another g, backoffs included', () => {
    const waits = taskOf({ submittedAt: instant(0), notBefore: instant(20_000) });
    const line = lineOf(0, early, late, waits);
    line.reorder(10);
    expect(line.nextDue()).toBe(20_000);
    expect(drain(line)).toEqual([late, early]);
    expect([...line.tasks()]).toEqual([waits]);
  });

  it('answers like a sorted list, after any sequence', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 0.5, 2), commands, (g, sequence) => {
        const model = new LineModel(g);
        for (const command of sequence) model.run(command);
      }),
      { numRuns: 300 },
    );
  });
});

interface Joining {
  readonly priority: number;
  readonly submittedAt: number;
  readonly serviceMs: number;
  readonly backoffMs: number | null;
}

type Command =
  | { readonly kind: 'join'; readonly joining: Joining }
  | { readonly kind: 'leave'; readonly index: number }
  | { readonly kind: 'rejoin'; readonly index: number; readonly backoffMs: number | null }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'reorder'; readonly g: number };

const backoffMs = fc.option(fc.integer({ min: 0, max: 500 }));
const commands: fc.Arbitrary<readonly Command[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('join' as const),
        joining: fc.record({
          priority: fc.integer({ min: -1, max: 1 }),
          submittedAt: fc.integer({ min: 0, max: 200 }),
          serviceMs: fc.integer({ min: 0, max: 100 }),
          backoffMs,
        }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('leave' as const), index: fc.nat() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('rejoin' as const), index: fc.nat(), backoffMs }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(200) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('reorder' as const), g: fc.constantFrom(0, 3) }),
    },
  ),
  { maxLength: 150 },
);

/** The line and, beside it, a plain list that is sorted whenever it is asked. */
class LineModel {
  private readonly line: WaitingLine;
  private inLine: Task[] = [];
  private now = 1_000;

  constructor(private g: number) {
    this.line = new WaitingLine(g);
  }

  run(command: Command): void {
    this.apply(command);
    const now = instant(this.now);
    expect(this.line.head(now)).toBe(this.expectedHead());
    expect(this.line.nextDue()).toBe(this.expectedDue());
    expect(this.line.size).toBe(this.inLine.length);
    expect([...this.line.tasks()]).toEqual(this.inLine);
    for (const task of this.inLine) {
      expect(this.line.before(task, now)).toEqual(this.expectedBefore(task));
    }
  }

  private apply(command: Command): void {
    if (command.kind === 'join') this.join(this.taskOf(command.joining));
    else if (command.kind === 'leave') this.leave(command.index);
    else if (command.kind === 'pass') this.now += command.ms;
    else if (command.kind === 'rejoin') {
      const task = this.leave(command.index);
      if (!task) return;
      task.notBefore = this.due(command.backoffMs);
      this.join(task);
    } else {
      this.g = command.g;
      this.line.reorder(command.g);
    }
  }

  private join(task: Task): void {
    this.line.add(task);
    this.inLine.push(task);
  }

  private leave(index: number): Task | undefined {
    const [task] = this.inLine.splice(index % Math.max(1, this.inLine.length), 1);
    if (task) expect(this.line.remove(task)).toBe(true);
    return task;
  }

  private taskOf({ priority, submittedAt, serviceMs, backoffMs: backoff }: Joining): Task {
    return taskOf({
      priority,
      submittedAt: instant(submittedAt),
      prediction: exactly(serviceMs),
      notBefore: this.due(backoff),
    });
  }

  private due(backoff: number | null): Instant | null {
    return backoff === null ? null : instant(this.now + backoff);
  }

  private expectedHead(): Task | undefined {
    return this.inTurn(this.now)[0];
  }

  private expectedBefore(task: Task): Task[] {
    const inTurn = this.inTurn(Math.max(this.now, task.notBefore ?? 0));
    const before = new Set(inTurn.slice(0, inTurn.indexOf(task)));
    return this.inLine.filter((other) => before.has(other));
  }

  /** Those whose backoff is over then, in the order of their turns. */
  private inTurn(then: number): Task[] {
    const key = (task: Task): number =>
      task.submittedAt + this.g * task.prediction.serviceTime.mean;
    return this.inLine
      .filter(({ notBefore }) => notBefore === null || notBefore <= then)
      .sort((a, b) => b.priority - a.priority || key(a) - key(b) || (a.id < b.id ? -1 : 1));
  }

  private expectedDue(): number | undefined {
    const due = this.inLine.map(({ notBefore }) => notBefore ?? 0).filter((at) => at > this.now);
    return due.length === 0 ? undefined : Math.min(...due);
  }
}
