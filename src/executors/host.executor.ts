import { Inject, Injectable } from '@nestjs/common';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { JobPlaces } from '../ops/job-places';
import type { Executor, StartRequest, StartResult, Target } from './executor';
import { JobHosts } from './job-hosts';
import type { JobStart } from './processes/host-jobs';
import { HostUnreachableError } from './processes/host-shell';

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
  constructor(
    private readonly hosts: JobHosts,
    private readonly places: JobPlaces,
    @Inject(configOf('commands')) private readonly commands: Pick<Config['commands'], 'enabled'>,
  ) {}

  async start({ traits }: Target, request: StartRequest): Promise<StartResult> {
    if (!this.commands.enabled) return refused('commands are switched off (FORESAIL_COMMANDS)');
    try {
      await this.hosts.at(traits.executorPrefix).start(this.jobOf(request));
      return { kind: 'accepted', remoteId: request.dispatchId };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return error instanceof HostUnreachableError ? { kind: 'unknown', reason } : refused(reason);
    }
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
