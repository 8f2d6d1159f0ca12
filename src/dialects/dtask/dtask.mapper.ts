import { SchedulerError } from '../../core/errors';
import type { Health } from '../../core/instance';
import type { Resources } from '../../core/resources';
import type { Plain } from '../../http/dto-fields';
import type { PlacementRequest } from '../../placements/placement-drafts';
import type { PlacedAt } from '../../placements/placements.service';
import type { Heartbeat, WorkerView } from '../../placements/workers.service';
import type { HeartbeatDto } from './dto/heartbeat.dto';
import type { PlacedAtDto, ScheduleDto } from './dto/placement.dto';
import type { ResourcesDto } from './dto/resources.dto';
import type { WorkerDto } from './dto/worker.dto';

const MS_PER_SEC = 1_000;

const STATUS_OF = {
  online: 'online',
  suspect: 'suspicious',
  lost: 'offline',
} as const satisfies Record<Health, WorkerDto['Status']>;

/** What a worker says of itself. */
export function toHeartbeat(dto: Plain<HeartbeatDto>): Heartbeat {
  const { resources, task_ids: taskIds } = dto;
  return {
    workerId: dto.worker_id,
    address: dto.address,
    tags: tagsIn(dto.resource_tags),
    maxTasks: dto.max_tasks,
    currentTasks: dto.current_tasks,
    sentAtMs: dto.timestamp * MS_PER_SEC,
    taskIds: taskIds ?? null,
    resources: resources ? amountsIn(resources) : null,
    leaving: dto.leaving,
  };
}

/**
 * What a client asks for.
 * @throws {SchedulerError} invalid_input without a task id
 */
export function toRequest(dto: Plain<ScheduleDto>): PlacementRequest {
  const { task_id: taskId, resources, priority, wait_ms: waitMs } = dto;
  if (taskId === null || taskId === '') throw missingTaskId();
  return {
    taskId,
    requiredTags: tagsIn(dto.required_tags),
    priority,
    resources: amountsIn(resources ?? NOTHING),
    waitMs,
  };
}

/** Where a task goes, as it is told. */
export function placedAt({ workerId, address }: PlacedAt): Plain<PlacedAtDto> {
  return { worker_id: workerId, address };
}

/** A worker as it is listed. */
export function workerAnswer(worker: WorkerView): Plain<WorkerDto> {
  return {
    WorkerID: worker.workerId,
    Address: worker.address,
    ResourceTags: worker.tags,
    MaxTasks: worker.maxTasks,
    CurrentTasks: worker.currentTasks,
    Available: worker.available,
    LastHeartbeat: new Date(worker.lastHeartbeatWallMs).toISOString(),
    Status: STATUS_OF[worker.health],
  };
}

const NOTHING: Plain<ResourcesDto> = { cpu: 0, memory_gb: 0, gpu_memory_gb: 0 };

function amountsIn(dto: Plain<ResourcesDto>): Omit<Resources, 'slots'> {
  return { cpu: dto.cpu, memoryGb: dto.memory_gb, gpuMemoryGb: dto.gpu_memory_gb };
}

/** Without empty ones: a worker without tags sends `[""]` when it splits an empty text at commas. */
function tagsIn(tags: readonly string[] | null): readonly string[] {
  return tags?.filter((tag) => tag !== '') ?? [];
}

function missingTaskId(): SchedulerError {
  const msg = 'task_id is missing: it must be a string of 1 to 256 characters';
  const fault = { loc: ['body', 'task_id'], msg, type: 'missing' };
  return new SchedulerError('invalid_input', msg, { faults: [fault] });
}
