import { FakeClock } from '../../test/support/fake-clock';
import { until } from '../../test/support/until';
import { keptLog, settled } from '../../test/support/worker-fakes';
import { Reporter, type Report, type ReportSink } from './reporter';
import type { SchedulerReply } from './scheduler-client';

const accepted: SchedulerReply = { kind: 'accepted' };
const rejected: SchedulerReply = { kind: 'rejected', message: 'unknown task' };
const refused: SchedulerReply = { kind: 'refused', message: 'answered 422' };
const away: SchedulerReply = { kind: 'unavailable', message: 'refused', retryAfterMs: 0 };

/** Answers as the test decides, and notes what was sent. */
class Sink implements ReportSink {
  readonly sent: string[] = [];
  /** How many calls were under way at once, at most. */
  most = 0;
  answer: (body: string) => SchedulerReply = () => accepted;
  private underWay = 0;

  async submitResult(body: string): Promise<SchedulerReply> {
    this.sent.push(body);
    this.underWay += 1;
    this.most = Math.max(this.most, this.underWay);
    await settled();
    this.underWay -= 1;
    return this.answer(body);
  }
}

/** A reporter that is left open would try for ever. */
const open: Reporter[] = [];

afterEach(() => {
  for (const reporter of open.splice(0)) reporter.close();
});

function setUp() {
  const sink = new Sink();
  const clock = new FakeClock();
  const { log, events } = keptLog();
  let doubts = 0;
  const reporter = new Reporter(sink, clock, { next: () => 0 }, log, () => {
    doubts += 1;
  });
  open.push(reporter);
  return { sink, clock, events, reporter, doubts: () => doubts };
}

const report = (remoteId: string): Report => ({ remoteId, body: () => remoteId });
const reports = (count: number): Report[] =>
  Array.from({ length: count }, (_, n) => report(`r${n}`));

describe('Reporter', () => {
  it('delivers each report once, four at a time', async () => {
    const { sink, reporter } = setUp();
    const ends = await Promise.all(reports(20).map((one) => reporter.deliver(one)));

    expect(ends).toEqual(Array.from({ length: 20 }, () => true));
    expect(sink.sent).toEqual(reports(20).map((one) => one.remoteId));
    expect(sink.most).toBe(4);
    expect(reporter.pending).toBe(0);
  });

  it('goes on until a scheduler that was away is back, one try at a time', async () => {
    const { sink, reporter, events } = setUp();
    sink.answer = () => away;
    const ends = Promise.all(reports(10).map((one) => reporter.deliver(one)));
    await until(() => sink.sent.length >= 8, 'tries while the scheduler is away');
    sink.most = 0;
    const before = sink.sent.length;
    await until(() => sink.sent.length >= before + 4, 'more tries');

    expect(sink.most).toBe(1);
    expect(reporter.pending).toBe(10);
    sink.answer = () => accepted;
    expect(await ends).toEqual(Array.from({ length: 10 }, () => true));
    expect(events()).toEqual(['reports_paused', 'reports_resumed']);
  });

  it('lets others pass a report that alone makes the scheduler fail', async () => {
    const { sink, reporter } = setUp();
    sink.answer = (body) => (body === 'poison' ? away : accepted);
    const poison = reporter.deliver(report('poison'));
    const ends = await Promise.all(reports(5).map((one) => reporter.deliver(one)));

    expect(ends).toEqual([true, true, true, true, true]);
    expect(reporter.pending).toBe(1);
    sink.answer = () => accepted;
    expect(await poison).toBe(true);
  });

  it('gives up after ten minutes of absence', async () => {
    const { sink, clock, reporter, events } = setUp();
    sink.answer = () => away;
    const end = reporter.deliver(report('a'));
    await until(() => sink.sent.length >= 2, 'a repeat');
    clock.advance(599_999);
    const before = sink.sent.length;
    await until(() => sink.sent.length > before + 1, 'repeats up to the limit');
    clock.advance(1);

    expect(await end).toBe(false);
    expect(events()).toEqual(['reports_paused', 'report_dropped']);
  });

  it('repeats what is unknown there for 30 s, doubts its registration, then gives up', async () => {
    const { sink, clock, reporter, doubts } = setUp();
    sink.answer = () => rejected;
    const end = reporter.deliver(report('a'));
    await until(() => sink.sent.length >= 3, 'repeats');
    expect(doubts()).toBeGreaterThanOrEqual(2);
    clock.advance(30_000);

    expect(await end).toBe(false);
  });

  it('delivers what became known meanwhile', async () => {
    const { sink, reporter } = setUp();
    sink.answer = () => rejected;
    const end = reporter.deliver(report('a'));
    await until(() => sink.sent.length >= 2, 'a repeat');
    sink.answer = () => accepted;

    expect(await end).toBe(true);
  });

  it('does not repeat what was refused', async () => {
    const { sink, reporter, events } = setUp();
    sink.answer = () => refused;

    expect(await reporter.deliver(report('a'))).toBe(false);
    expect(sink.sent).toEqual(['a']);
    expect(events()).toEqual(['report_dropped']);
  });

  it('waits as long as the scheduler asks', async () => {
    const { sink, reporter } = setUp();
    let asked = 0;
    sink.answer = (): SchedulerReply => {
      if (sink.sent.length > 1) return performance.now() - asked >= 59 ? accepted : refused;
      asked = performance.now();
      return { ...away, retryAfterMs: 60 };
    };
    const end = reporter.deliver(report('a'));

    expect(await end).toBe(true);
  });

  it('tries no more once it is closed', async () => {
    const { sink, reporter } = setUp();
    sink.answer = () => away;
    void reporter.deliver(report('a'));
    await until(() => sink.sent.length >= 2, 'a repeat');
    reporter.close();
    const sent = sink.sent.length;
    // Another one, still open, shows that there was time for repeats.
    const other = setUp();
    other.sink.answer = () => away;
    void other.reporter.deliver(report('b'));
    await until(() => other.sink.sent.length >= 5, 'repeats of the other reporter');

    expect(sink.sent).toHaveLength(sent);
    expect(reporter.pending).toBe(1);
  });
});
