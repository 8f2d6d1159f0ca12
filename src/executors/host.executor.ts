import { Injectable } from '@nestjs/common';
import { bulkhead, type BulkheadPolicy } from 'cockatiel';
import { JobPlaces } from '../ops/job-places';
import type { Executor, StartRequest, StartResult, Target } from './executor';
import { JobHosts } from './job-hosts';
import type { JobStart } from './processes/host-jobs';
import { HostUnreachableError } from './processes/host-shell';

/** Starts at once on hosts of one prefix: a machine that is asked for all at once is late with all. */
const STARTS_AT_ONCE = 8;

/** What is in the input of a job. */
interface JobInput {
  readonly command: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts attempts as commands on hosts. A start may be repeated: whoever was there first runs. The
 * id of an attempt there is its dispatch id.
 */
@Injectable()
export class HostExecutor implements Executor {
  private readonly turns = new Map<string, BulkheadPolicy>();

  constructor(
    private readonly hosts: JobHosts,
    private readonly places: JobPlaces,
  ) {}

  async start({ traits }: Target, request: StartRequest): Promise<StartResult> {
    try {
      const host = this.hosts.at(traits.executorPrefix);
      const job = this.jobOf(request);
      await this.turnsAt(traits.executorPrefix).execute(() => host.start(job));
      return { kind: 'accepted', remoteId: request.dispatchId };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return error instanceof HostUnreachableError ? { kind: 'unknown', reason } : refused(reason);
    }
  }

  private turnsAt(prefix: string): BulkheadPolicy {
    const known = this.turns.get(prefix);
    if (known) return known;
    const turns = bulkhead(STARTS_AT_ONCE, Infinity);
    this.turns.set(prefix, turns);
    return turns;
  }

  private jobOf({ taskId, dispatchId, taskInput }: StartRequest): JobStart {
    const { command, workdir, env } = JSON.parse(taskInput) as JobInput;
    return {
      taskId,
      dispatchId,
      command,
      workdir: this.places.workdirOf(taskId, workdir),
      roots: this.places.roots,
      log: this.places.logPath(taskId),
      env,
    };
  }
}

/** The host can start nothing now, or not this: it is there, and the command was not begun. */
function refused(reason: string): StartResult {
  return { kind: 'refused', because: 'unwanted', reason, retryAfterMs: null };
}
