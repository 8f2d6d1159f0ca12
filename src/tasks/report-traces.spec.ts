import { instanceId, taskId } from '../core/units';
import { ReportTraces } from './report-traces';

describe('ReportTraces', () => {
  const [a, b] = [instanceId('a'), instanceId('b')];
  let traces: ReportTraces;
  let written: number;
  const write = (): Promise<void> => {
    written++;
    return Promise.resolve();
  };

  beforeEach(() => {
    traces = new ReportTraces();
    written = 0;
  });

  it('has one written for each task, kind and instance, and counts the others', async () => {
    for (let n = 0; n < 50; n++) await traces.once(taskId('t'), 'duplicate_result', a, write);
    expect([written, traces.untraced]).toEqual([1, 49]);
    await traces.once(taskId('t'), 'duplicate_result', b, write);
    await traces.once(taskId('t'), 'foreign_result', a, write);
    await traces.once(taskId('u'), 'duplicate_result', a, write);
    expect([written, traces.untraced]).toEqual([4, 49]);
  });

  it('has it written again when that failed', async () => {
    const fail = (): Promise<void> => Promise.reject(new Error('away'));
    await expect(traces.once(taskId('t'), 'foreign_result', a, fail)).rejects.toThrow('away');
    await traces.once(taskId('t'), 'foreign_result', a, write);
    expect([written, traces.untraced]).toEqual([1, 0]);
  });

  it('remembers 10 000', async () => {
    for (let n = 0; n <= 10_000; n++)
      await traces.once(taskId(`t${n}`), 'foreign_result', a, write);
    await traces.once(taskId('t1'), 'foreign_result', a, write);
    expect(traces.untraced).toBe(1);
    await traces.once(taskId('t0'), 'foreign_result', a, write);
    expect(traces.untraced).toBe(1);
  });
});
