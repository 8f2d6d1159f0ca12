import { NO_ATTEMPTS } from '../core/task';
import { taskId } from '../core/units';
import { TaskReader, type LiveTaskRow } from './stored-task';

const ROW: LiveTaskRow = {
  id: taskId('t'),
  kind: 'model',
  client_task_id: 'c',
  queue_name: 'm',
  priority: 1,
  state: 'queued',
  attempt_no: 0,
  event_seq: 3,
  not_before: null,
  avoid_instance_id: null,
  stop_reason: null,
  failure_kind: null,
  failure_message: null,
  payload_bytes: 10,
  prediction_method: 'lookup',
  prediction_levels: '{0.1,0.9}',
  prediction_quantiles: '{100,200}',
  max_attempts: 3,
  job: null,
  retries: 0,
  attempt_timeout_ms: 60_000,
  demand_slots: 1,
  demand_cpu: 0,
  demand_memory_gb: 0,
  demand_gpu_memory_gb: 0,
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
    expect(task.demand).toEqual({ slots: 1, cpu: 0, memoryGb: 0, gpuMemoryGb: 0 });
    expect(task.prediction.method).toBe('lookup');
    expect(task.prediction.serviceTime.quantile(0.9)).toBe(200);
  });

  it('keeps once what is equal in many tasks', () => {
    const reader = new TaskReader();
    const [one, other] = [read(reader), read(reader, { id: taskId('u'), queue_name: 'n' })];
    expect(other.prediction).toBe(one.prediction);
    expect(other.demand).toBe(one.demand);
    expect(other.attempts).toBe(one.attempts);
  });

  it.each([
    { prediction_method: 'default' },
    { prediction_levels: '{0.2,0.9}' },
    { prediction_quantiles: '{100,201}' },
  ])('does not confuse predictions: %j', (row) => {
    const reader = new TaskReader();
    const one = read(reader);
    const other = read(reader, row);
    expect(other.prediction).not.toEqual(one.prediction);
  });

  it.each([
    { demand_slots: 2 },
    { demand_cpu: 1 },
    { demand_memory_gb: 1 },
    { demand_gpu_memory_gb: 1 },
  ])('does not confuse demands: %j', (row) => {
    const reader = new TaskReader();
    expect(read(reader, row).demand).not.toEqual(read(reader).demand);
  });
});
