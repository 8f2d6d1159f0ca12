import type { Plain } from '../http/dto-fields';
import type { TaskListDto } from './dto/task-list.dto';
import type { TaskDto } from './dto/task.dto';

const INSTANCE = '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10';
const OTHER_INSTANCE = '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b11';

/** A task that runs, as the API document shows it. */
export const RUNNING_TASK: Plain<TaskDto> = {
  id: '0193529e-70a2-7d31-9a30-2f6d0a4f5c11',
  client_task_id: 'order-4711',
  kind: 'model',
  model: 'llama-3-8b',
  state: 'running',
  instance_id: INSTANCE,
  submitted_at: '2026-11-21T10:00:00.000Z',
  finished_at: null,
  execution_ms: null,
  prediction: { method: 'metadata', service_ms: 1200 },
  failure: null,
  waiting: null,
  forecast: {
    start_p50: '2026-11-21T10:00:00.015Z',
    start_p90: '2026-11-21T10:00:00.015Z',
    end_p50: '2026-11-21T10:00:01.180Z',
    end_p90: '2026-11-21T10:00:01.950Z',
  },
  attempts: [
    {
      attempt: 1,
      dispatch_id: '0193529e-70a2-7d31-9a30-2f6d0a4f5c12',
      instance_id: INSTANCE,
      state: 'live',
      remote_id: '7',
      reserved_at: '2026-11-21T10:00:00.010Z',
      sent_at: '2026-11-21T10:00:00.015Z',
      running_since: '2026-11-21T10:00:00.015Z',
      ended_at: null,
      execution_ms: null,
      decision: {
        strategy: 'earliest',
        decided_at: '2026-11-21T10:00:00.010Z',
        candidates: 2,
        wait_ms: 0,
        completion_ms: 1200,
        runner_up: { instance_id: OTHER_INSTANCE, wait_ms: 0, completion_ms: 2400 },
        unfit_because: { draining: 1, busy: 3 },
      },
    },
  ],
  events: [
    {
      seq: 1,
      type: 'submitted',
      from: null,
      to: 'queued',
      attempt: 0,
      instance_id: null,
      at: '2026-11-21T10:00:00.000Z',
      message: 'submitted',
    },
  ],
  result: null,
};

/** The same after it was cancelled: its worker still has it. */
export const CANCELLED_TASK: Plain<TaskDto> = {
  ...RUNNING_TASK,
  state: 'cancelled',
  finished_at: '2026-11-21T10:00:00.700Z',
  forecast: null,
  attempts: RUNNING_TASK.attempts.map((attempt) => ({ ...attempt, state: 'abandoned' as const })),
  events: [
    ...RUNNING_TASK.events,
    {
      seq: 6,
      type: 'cancelled',
      from: 'stopping',
      to: 'cancelled',
      attempt: 1,
      instance_id: INSTANCE,
      at: '2026-11-21T10:00:00.700Z',
      message: 'cancelled by key fsl_0123456789ab: submitted by mistake',
    },
  ],
};

/** A page of the list. */
export const TASK_LIST: Plain<TaskListDto> = {
  tasks: [
    {
      id: RUNNING_TASK.id,
      client_task_id: 'order-4711',
      kind: 'model',
      model: 'llama-3-8b',
      state: 'succeeded',
      instance_id: INSTANCE,
      attempt: 1,
      submitted_at: '2026-11-21T10:00:00.000Z',
      started_at: '2026-11-21T10:00:00.015Z',
      finished_at: '2026-11-21T10:00:01.203Z',
      execution_ms: 1187.5,
      wait_ms: 15,
      failure: null,
    },
  ],
  next_cursor: null,
};
