import { stripVTControlCharacters as plain } from 'node:util';
import { instanceAnswer } from '../../../test/support/fleet-answers';
import { Fields } from '../fields';
import type { Ending } from '../replay/follower';
import { demoReport, demoReportText } from './demo-report';

const ending = (changed: Partial<Ending>): Ending => ({
  state: 'succeeded',
  instanceId: 'fast',
  waitSeconds: 1,
  serviceSeconds: 2,
  predictedOverActual: 4,
  ...changed,
});

const instances = [
  instanceAnswer({ id: 'slow', name: 'b', declared_speed: 1, speed: 1.7 }),
  instanceAnswer({ id: 'fast', name: 'a', declared_speed: 4, speed: 2.9 }),
].map((answer) => new Fields(answer, 'an instance'));

const report = demoReport(
  {
    submitted: 4,
    endings: [
      ending({}),
      ending({ instanceId: 'slow', serviceSeconds: 5, predictedOverActual: 1 }),
      ending({ instanceId: 'slow', state: 'failed', serviceSeconds: 100 }),
      ending({ instanceId: null }),
    ],
    wallSeconds: 10,
  },
  instances,
);

describe('demoReport', () => {
  it('counts in all and per worker', () => {
    expect(report).toMatchObject({ submitted: 4, completed: 3, failed: 1 });
    expect(report.workers).toMatchObject([
      { name: 'a', model: 'm', speed: 4, tasks: 1, busy: 0.2, service: { p50: 2 } },
      { name: 'b', speed: 1, tasks: 1, busy: 0.5, service: { p50: 5, max: 5 } },
    ]);
  });

  it('holds a prediction against what its own worker should have needed', () => {
    const ratios = report.workers.map(({ predictedOverActual }) => predictedOverActual.p50);

    expect(ratios).toEqual([1, 1]);
    expect(report.predictedOverActual.p50).toBe(1);
  });
});

describe('demoReportText', () => {
  it('shows at most two decimals of a speed', () => {
    const instance = new Fields(instanceAnswer({ declared_speed: 1 / 3 }), 'an instance');
    const text = demoReportText(
      demoReport({ submitted: 0, endings: [], wallSeconds: 1 }, [instance]),
    );

    expect(plain(text)).toMatch(/^gpu7 +0\.33 +0 /m);
  });

  it('has a line per worker', () => {
    expect(plain(demoReportText(report))).toMatch(
      /^4 submitted, 3 completed, 1 failed in 10\.0 s\n[^]*\na +4 +1 +20 % +1\.0 s +1\.0 s +2\.0 s +2\.0 s +1\.000\nb /,
    );
  });
});
