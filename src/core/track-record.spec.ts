import { isOutlier, TrackRecord } from './track-record';
import { instant } from './units';

/** One letter per end, a ms apart: `.` is a success, `x` a failure. */
function recordOf(ends: string, from = 0): TrackRecord {
  const record = new TrackRecord();
  for (let i = 0; i < ends.length; i++) record.note(ends[i] === 'x', instant(from + i));
  return record;
}

describe('TrackRecord', () => {
  it.each([
    ['', undefined],
    ['..', undefined],
    ['xx.', undefined],
    ['.x', { length: 1, since: 1 }],
    ['x.xxx', { length: 3, since: 2 }],
    ['xxxx', { length: 4, since: 0 }],
  ])('knows the failures since the last success: %j', (ends, run) => {
    expect(recordOf(ends).run).toEqual(run);
  });

  it('counts what ended from an instant on', () => {
    expect(recordOf('x.x.x').since(instant(2))).toEqual({ completed: 1, failed: 2 });
  });

  it('remembers no more than the last ends', () => {
    expect(recordOf('x'.repeat(200)).run).toEqual({ length: 64, since: 136 });
  });
});

describe('isOutlier', () => {
  it.each<[string, string, readonly string[], boolean]>([
    ['nobody else is there', 'xxxxxxxxxx', [], false],
    ['nobody else has completed anything', 'xxxxxxxxxx', ['', ''], false],
    ['others complete many, it fails five in a row', 'xxxxx', ['......', '......'], true],
    ['others complete many, it has failed only four', 'xxxx', ['.'.repeat(64)], false],
    ['the last one was a success', 'xxxxxxxx.', ['............'], false],
    ['others have completed one', 'xxxxxx', ['.'], false],
    ['others have completed one, and it goes on failing', 'xxxxxxxxx', ['.'], true],
    ['half of the tasks fail everywhere', 'xxxxxxxx', ['x.x.x.x.', '.x.x.x.x'], false],
    ['half of them fail everywhere, all of them here', 'x'.repeat(14), ['x.x.x.x.x.x.x.x.'], true],
    ['everything fails everywhere', 'x'.repeat(64), ['x'.repeat(64)], false],
  ])('when %s', (_when, own, others, verdict) => {
    const records = others.map((ends) => recordOf(ends));
    expect(isOutlier(recordOf(own), records)).toBe(verdict);
  });

  it('compares only what happened since its failures began', () => {
    const before = recordOf('.'.repeat(60));
    expect(isOutlier(recordOf('xxxxxxxxxx', 60), [before])).toBe(false);
    expect(isOutlier(recordOf('xxxxxxxxxx', 50), [before])).toBe(true);
  });
});
