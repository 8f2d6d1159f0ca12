import { Inject, Injectable } from '@nestjs/common';
import { QuantileDistribution } from '../core/distribution';
import type { WaitingPlacement } from '../core/placement-line';
import type { Clock, Ids } from '../core/ports';
import { PLACEMENT_QUEUE } from '../core/queue';
import { isOneSlot, type Resources } from '../core/resources';
import { newTask, type Prediction, type TaskDraft } from '../core/task';
import { taskId } from '../core/units';
import { CLOCK, IDS } from '../ops/system';
import type { Payload } from '../tasks/payload-cache';

/** What a client asks a worker for. */
export interface PlacementRequest {
  readonly taskId: string;
  readonly requiredTags: readonly string[];
  /** Higher goes first in the waiting line. */
  readonly priority: number;
  readonly resources: Omit<Resources, 'slots'>;
  /** How long to wait in line when nobody fits, in ms; 0: not at all. */
  readonly waitMs: number;
}

/** A placement that is asked for, and what is kept of it in the history. */
export interface AskedPlacement extends WaitingPlacement {
  readonly payload: Payload;
}

/** Nobody says how long it will run: its client alone knows how it goes on. */
const UNKNOWN: Prediction = { serviceTime: new QuantileDistribution([0.5], [0]), method: 'none' };
const NO_METADATA = '{}';

/** Makes tasks of what clients ask for. */
@Injectable()
export class PlacementDrafts {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  make(request: PlacementRequest): AskedPlacement {
    const { taskId: clientId, requiredTags: tags, priority, resources } = request;
    const demand = { slots: 1, ...resources };
    const payload = { taskInput: inputOf(tags, demand), metadata: NO_METADATA };
    const draft: TaskDraft = {
      id: taskId(this.ids.next()),
      kind: 'placement',
      clientId,
      queue: PLACEMENT_QUEUE,
      priority,
      submittedAt: this.clock.now(),
      prediction: UNKNOWN,
      demand,
      job: null,
      // `Placements` sees to its age.
      attemptTimeoutMs: Infinity,
      maxAttempts: 1,
      payloadBytes: Buffer.byteLength(payload.taskInput) + NO_METADATA.length,
    };
    return { task: newTask(draft, PLACEMENT_QUEUE), tags, payload };
  }
}

function inputOf(tags: readonly string[], demand: Resources): string {
  const { cpu, memoryGb, gpuMemoryGb } = demand;
  const resources = { cpu, memory_gb: memoryGb, gpu_memory_gb: gpuMemoryGb };
  return JSON.stringify({ required_tags: tags, ...(isOneSlot(demand) ? {} : { resources }) });
}
