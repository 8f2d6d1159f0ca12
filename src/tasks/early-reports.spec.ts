import type { Outcome } from '../core/task';
import { instanceId, instant } from '../core/units';
import { EarlyReports } from './early-reports';

const outcome: Outcome = { kind: 'succeeded', executionMs: 1 };
const report = { outcome, result: '{}' };
const a = instanceId('a');
const b = instanceId('b');

describe('EarlyReports', () => {
  it('gives a report back once, to the instance that sent it', () => {
    const early = new EarlyReports();
    expect(early.keep(a, 'r1', report, instant(0))).toBe(true);
    expect(early.take(b, 'r1')).toBeUndefined();
    expect(early.take(a, 'r1')).toMatchObject(report);
    expect(early.take(a, 'r1')).toBeUndefined();
  });

  it('drops what nobody asked for within a minute', () => {
    const early = new EarlyReports();
    early.keep(a, 'old', report, instant(0));
    early.keep(a, 'young', report, instant(60_000));
    expect(early.take(a, 'old')).toBeUndefined();
    expect(early.take(a, 'young')).toBeDefined();
  });

  it('takes no more than 256 of one instance, and goes on taking those of others', () => {
    const early = new EarlyReports();
    for (let i = 0; i < 256; i++) expect(early.keep(a, `r${i}`, report, instant(i))).toBe(true);
    expect(early.keep(a, 'one more', report, instant(300))).toBe(false);
    expect(early.keep(b, 'one more', report, instant(300))).toBe(true);
    early.take(a, 'r0');
    expect(early.keep(a, 'one more', report, instant(301))).toBe(true);
  });

  it('keeps no more than 32 MiB of all instances together, until they are old', () => {
    const early = new EarlyReports();
    const large = { outcome, result: 'é'.repeat(8 * 1024 * 1024) };
    expect(early.keep(a, 'r0', large, instant(0))).toBe(true);
    expect(early.keep(a, 'r0', large, instant(0))).toBe(true);
    expect(early.keep(b, 'r1', large, instant(0))).toBe(true);
    expect(early.keep(b, 'r2', report, instant(0))).toBe(false);
    expect(early.keep(b, 'r1', report, instant(1))).toBe(true);
    expect(early.keep(b, 'r2', report, instant(1))).toBe(true);
    early.dropOld(instant(60_000));
    expect(early.take(a, 'r0')).toBeUndefined();
    expect(early.take(b, 'r2')).toBeDefined();
  });

  it('keeps a report that is repeated as long as one that came then', () => {
    const early = new EarlyReports();
    early.keep(a, 'r0', report, instant(0));
    early.keep(a, 'r1', report, instant(1));
    early.keep(a, 'r0', report, instant(60_000));
    early.dropOld(instant(60_001));
    expect(early.take(a, 'r1')).toBeUndefined();
    expect(early.take(a, 'r0')).toBeDefined();
  });
});
