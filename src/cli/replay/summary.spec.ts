import { stripVTControlCharacters as plain } from 'node:util';
import type { Ending } from './follower';
import { summaryOf, summaryText } from './summary';

const ending = (changed: Partial<Ending>): Ending => ({
  state: 'succeeded',
  instanceId: 'i',
  waitSeconds: 1,
  serviceSeconds: 2,
  predictedOverActual: 0.5,
  ...changed,
});

describe('summaryOf', () => {
  it('counts every end and measures those that succeeded', () => {
    const endings = [
      ending({}),
      ending({ waitSeconds: 3, serviceSeconds: null, predictedOverActual: 1.5 }),
      ending({ state: 'failed', waitSeconds: 100 }),
      ending({ state: 'unknown', waitSeconds: null, serviceSeconds: null }),
    ];

    expect(summaryOf({ submitted: 5, endings, wallSeconds: 1.23456 })).toEqual({
      submitted: 5,
      completed: 2,
      failed: 2,
      wallSeconds: 1.235,
      wait: { mean: 2, p50: 2, p95: 2.9, p99: 2.98, max: 3 },
      service: { mean: 2, p50: 2, p95: 2, p99: 2, max: 2 },
      predictedOverActual: { p50: 1 },
    });
  });
});

describe('summaryText', () => {
  it('tells counts, spreads, and what has not ended', () => {
    const summary = summaryOf({ submitted: 3, endings: [ending({})], wallSeconds: 75 });

    expect(plain(summaryText(summary))).toBe(
      '3 submitted, 1 completed, 0 failed, 2 not ended in 1 min 15 s\n\n' +
        '               mean    p50    p95    p99    max\n' +
        'wait          1.0 s  1.0 s  1.0 s  1.0 s  1.0 s\n' +
        'service time  2.0 s  2.0 s  2.0 s  2.0 s  2.0 s\n' +
        '\npredicted / actual service time, median: 0.500\n',
    );
  });

  it('has a dash where there is no figure', () => {
    const text = summaryText(summaryOf({ submitted: 0, endings: [], wallSeconds: 0 }));

    expect(plain(text)).toContain('wait             –    –    –    –    –\n');
    expect(plain(text)).toContain('median: –');
  });
});
