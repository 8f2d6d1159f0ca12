import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Ids } from '../core/ports';
import { BATCH_QUEUE } from '../core/queue';
import { NOTHING } from '../core/resources';
import type { TaskDraft } from '../core/task';
import { taskId } from '../core/units';
import { CLOCK, IDS } from '../ops/system';
import { JobEstimates } from '../predictions/job-estimates.service';
import { jobPayload, type JobSubmission } from './job-submission';
import type { Payload } from './payload-cache';

/** A job as the task that it will be, and what that carries. */
export interface JobDraft {
  readonly draft: TaskDraft;
  readonly payload: Payload;
}

/** Makes tasks of jobs. */
@Injectable()
export class JobDrafts {
  constructor(
    private readonly estimates: JobEstimates,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /** @param clientId the client's own id of this job; null: none */
  make(job: JobSubmission, clientId: string | null): JobDraft {
    const payload = jobPayload(job);
    const draft: TaskDraft = {
      id: taskId(this.ids.next()),
      kind: 'batch',
      clientId,
      queue: BATCH_QUEUE,
      priority: job.priority,
      submittedAt: this.clock.now(),
      prediction: this.estimates.predict(job.owner, job.timeoutMs),
      demand: { ...NOTHING, slots: job.slots, cpu: job.cpu, memoryGb: job.memoryGb },
      job: job.needs,
      attemptTimeoutMs: job.timeoutMs,
      maxAttempts: job.needs.retryLimit + 1,
      payloadBytes: Buffer.byteLength(payload.taskInput) + Buffer.byteLength(payload.metadata),
    };
    return { draft, payload };
  }
}
