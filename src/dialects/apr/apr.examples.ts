import type { Plain } from '../../http/dto-fields';
import type { HostDto } from './dto/host.dto';
import type { JobDetailDto, JobDto, JobEventDto } from './dto/job.dto';

const JOB_ID = '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10';
const PARENT_ID = '0193529d-1b7e-7d02-9c1d-0e9d5d3f7a41';

/** A host that runs a job. */
export const HOST: Plain<HostDto> = {
  host_id: 'host-a',
  total_slots: 8,
  total_cpu: 32,
  total_memory_gb: 128,
  labels: { tool: 'innovus', node: 'A' },
  executor_prefix: 'ssh -o BatchMode=yes cad@10.0.0.11',
  used_slots: 1,
  used_cpu: 4,
  used_memory_gb: 8,
  status: 'ONLINE',
  last_heartbeat_at: '2026-11-21T10:00:00.000Z',
  running_jobs: [JOB_ID],
};

/** A job that runs. */
export const RUNNING_JOB: Plain<JobDto> = {
  job_id: JOB_ID,
  command: 'bash -lc "echo start && sleep 5 && echo done"',
  project: 'P1',
  design: 'top',
  owner: 'cad_user',
  priority: 2,
  timeout_sec: 3600,
  retry_limit: 1,
  resource_request: {
    cpu: 4,
    memory_gb: 8,
    slots: 1,
    license_tokens: 1,
    tool_version: '',
    host_labels: { tool: 'innovus' },
  },
  workdir: '/tmp',
  env: { CORNER: 'ss' },
  status: 'RUNNING',
  assigned_host_id: 'host-a',
  created_at: '2026-11-21T10:00:00.000Z',
  queued_at: '2026-11-21T10:00:00.000Z',
  started_at: '2026-11-21T10:00:00.120Z',
  finished_at: '',
  updated_at: '2026-11-21T10:00:00.125Z',
  stage: 'running',
  message: 'running',
  retry_count: 0,
  exit_code: null,
  log_path: `/var/lib/foresail/jobs/${JOB_ID}.log`,
  parent_job_id: '',
};

const WAITING = {
  status: 'QUEUED',
  assigned_host_id: '',
  started_at: '',
  updated_at: '2026-11-21T10:00:00.005Z',
  stage: 'waiting',
  message: 'no host is registered: it waits for one',
} as const;

/** A job that waits. */
export const WAITING_JOB: Plain<JobDto> = { ...RUNNING_JOB, ...WAITING };

/** A job that another one ran before. */
export const RERUN_JOB: Plain<JobDto> = { ...WAITING_JOB, parent_job_id: PARENT_ID };

/** A job that stands still. */
export const PAUSED_JOB: Plain<JobDto> = {
  ...RUNNING_JOB,
  status: 'PAUSED',
  stage: 'paused',
  message: 'paused',
};

/** A job that is being stopped. */
export const STOPPING_JOB: Plain<JobDto> = {
  ...RUNNING_JOB,
  stage: 'stopping',
  message: 'stopped by ada',
};

const event = (
  n: number,
  type: JobEventDto['event_type'],
  message: string,
  operator = 'system',
): Plain<JobEventDto> => ({
  event_id: String(n),
  job_id: JOB_ID,
  event_type: type,
  message,
  operator,
  created_at: `2026-11-21T10:00:00.${n}00Z`,
});

/** A job that runs, with what happened to it. */
export const JOB_DETAIL: Plain<JobDetailDto> = {
  ...RUNNING_JOB,
  events: [
    event(1, 'SUBMITTED', 'submitted', 'cad_user'),
    event(2, 'DISPATCHED', 'least_loaded: first in rank (0.125)'),
    event(3, 'RUNNING', 'running'),
  ],
};
