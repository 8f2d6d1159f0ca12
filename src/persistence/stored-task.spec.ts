import { NO_ATTEMPTS } from '../core/task';
import { taskId } from '../core/units';
import { TaskReader, type LiveTaskRow } from './stored-task';

const ROW: LiveTaskRow = {
  id: taskId('t'),
  kind: 'model',
  client_task_id: 'c',
  queue_name: 'm',
  state: 'queued',
  attempt_no: 0,
  event_seq: 3,
  not_before: null,
  avoid_instance_id: null,
  stop_reason: null,
  failure_kind: null,
  failure_message: null,
  payload_bytes: 10,
  job: null,
  terms: '1 3 0 Infinity 1 0.5 0 0 {0.1,0.9} {100,200} lookup',
  submitted_at: 1_000,
  finished_at: null,
};

describe('TaskReader', () => {
  const read = (reader: TaskReader, row: Partial<LiveTaskRow> = {}) =>
    reader.taskOf({ ...ROW, ...row }, NO_ATTEMPTS);

  it('makes a task of a row', () => {
    const task = read(new TaskReader());
    expect(task).toMatchObject({ id: 't', kind: 'model', clientId: 'c', queue: 'model/m' });
    expect(task).toMatchObject({ state: 'queued', submittedAt: 1_000, eventSeq: 3, priority: 1 });
    expect(task).toMatchObject({ maxAttempts: 3, retries: 0, attemptTimeoutMs: Infinity });
    expect(task.demand).toEqual({ slots: 1, cpu: 0.5, memoryGb: 0, gpuMemoryGb: 0 });
    expect(task.prediction.method).toBe('lookup');
    expect(task.prediction.serviceTime.quantile(0.9)).toBe(200);
  });

  it('keeps once what is equal in many tasks', () => {
    const reader = new TaskReader();
    const terms = '2 3 0 Infinity 1 0.5 0 0 {0.1,0.9} {100,200} lookup';
    const [one, other] = [read(reader), read(reader, { id: taskId('u'), queue_name: 'n', terms })];
    expect([one.priority, other.priority]).toEqual([1, 2]);
    expect(other.prediction).toBe(one.prediction);
    expect(other.demand).toBe(one.demand);
    expect(other.attempts).toBe(one.attempts);
  });

  it.each([
    '1 3 0 Infinity 1 0.5 0 0 {0.1,0.9} {100,200} a source of its own',
    '1 3 0 Infinity 1 0.5 0 0 {0.2,0.9} {100,200} lookup',
    '1 3 0 Infinity 1 0.5 0 0 {0.1,0.9} {100,201} lookup',
  ])('does not confuse predictions: %s', (terms) => {
    const reader = new TaskReader();
    const [one, other] = [read(reader), read(reader, { terms })];
    expect(other.prediction).not.toEqual(one.prediction);
    expect(terms.endsWith(`} ${other.prediction.method}`)).toBe(true);
  });

  it.each([
    '1 3 0 Infinity 2 0.5 0 0 {0.1,0.9} {100,200} lookup',
    '1 3 0 Infinity 1 1 0 0 {0.1,0.9} {100,200} lookup',
    '1 3 0 Infinity 1 0.5 1 0 {0.1,0.9} {100,200} lookup',
    '1 3 0 Infinity 1 0.5 0 1 {0.1,0.9} {100,200} lookup',
  ])('does not confuse demands: %s', (terms) => {
    const reader = new TaskReader();
    expect(read(reader, { terms }).demand).not.toEqual(read(reader).demand);
  });
});
