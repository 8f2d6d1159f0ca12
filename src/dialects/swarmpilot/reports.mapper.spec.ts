import { taskOf } from '../../../test/support/builders';
import { instant } from '../../core/units';
import { FETCH_RESULT } from '../../tasks/early-reports';
import type { ReportAnswer } from '../../tasks/worker-report';
import { notified, resultTaken, toNotification, toResultReport } from './reports.mapper';

const REPORT = { task_id: 't', instance_id: 'gpu7', execution_time: 12.5 };

describe('reports', () => {
  it('fetch the result after a bare notification', () => {
    expect(toNotification(REPORT)).toEqual({
      taskRef: 't',
      instanceRef: 'gpu7',
      dispatchId: null,
      outcome: { kind: 'succeeded', executionMs: 12.5 },
      result: FETCH_RESULT,
    });
  });

  it('bring the result as text, and the attempt where it is named', () => {
    const result = { big: 1e20, error: 'and more' };
    const dto = { ...REPORT, result, metadata: { dispatch_id: 'd-1' } };
    expect(toResultReport(dto, 100)).toEqual({
      taskRef: 't',
      instanceRef: 'gpu7',
      dispatchId: 'd-1',
      outcome: { kind: 'succeeded', executionMs: 12.5 },
      result: '{"big":1e+20,"error":"and more"}',
    });
  });

  it.each([undefined, null, {}, { dispatch_id: 7 }])(
    'name no attempt with metadata %j',
    (given) => {
      const metadata = given === undefined ? {} : { metadata: given };
      expect(toResultReport({ ...REPORT, result: {}, ...metadata }, 100).dispatchId).toBeNull();
    },
  );

  it.each([
    [{ error: 'out of memory' }, 'out of memory'],
    [{ error: '' }, ''],
    [{ error: 'x'.repeat(5_000) }, 'x'.repeat(4_000)],
    [{ error: `${'x'.repeat(3_999)}😀` }, 'x'.repeat(3_999)],
    [{ text: 'y'.repeat(100) }, 'result too large: 111 bytes, allowed are 100'],
    [{ é: 'é'.repeat(50) }, 'result too large: 109 bytes, allowed are 100'],
  ])('are failures when nothing but an error came, or too much: %#', (result, message) => {
    expect(toResultReport({ ...REPORT, result }, 100)).toMatchObject({
      outcome: { kind: 'failed', failure: 'worker_error', message, executionMs: 12.5 },
      result: null,
    });
  });

  it.each([[{ error: 7 }], [{ error: null }], [{ error: 'x', code: 1 }], [{}]])(
    'are successes with %j',
    (result) => {
      expect(toResultReport({ ...REPORT, result }, 100).outcome.kind).toBe('succeeded');
    },
  );

  const task = taskOf({ submittedAt: instant(1_000), finishedAt: instant(1_400) });
  const ANSWERS: readonly (readonly [ReportAnswer, string, number | null, RegExp])[] = [
    [{ kind: 'recorded', task }, 'success', 400, /^recorded$/],
    [{ kind: 'recorded', task: { ...task, finishedAt: null } }, 'success', 1_000, /^recorded$/],
    [{ kind: 'repeated', totalMs: 400 }, 'success', 400, /nothing changed/],
    [{ kind: 'repeated', totalMs: null }, 'success', null, /nothing changed/],
    [{ kind: 'kept' }, 'success', null, /kept/],
    [{ kind: 'unknown_task' }, 'unknown', null, /"gpu7" has no task "t"/],
    [{ kind: 'unknown_instance' }, 'unknown', null, /no instance "gpu7"/],
  ];

  it.each(ANSWERS)('are answered: %#', (answer, status, total, message) => {
    const now = instant(2_000);
    const unknown = status === 'unknown';
    expect(notified(answer, REPORT, now)).toEqual({
      status: unknown ? 'warning' : 'success',
      message: expect.stringMatching(message),
      total_time_ms: total,
    });
    expect(resultTaken(answer, { ...REPORT, result: {} })).toEqual({
      status: unknown ? 'error' : 'success',
      message: expect.stringMatching(message),
    });
  });
});
