import type { JobNeeds } from '../core/task';
import type { TaskId } from '../core/units';

/** What a job runs. */
export interface JobInput {
  /** For `sh -c`. */
  readonly command: string;
  /** Absolute, or `.` for a folder of the job's own. */
  readonly workdir: string;
  /** Set beside the short list of the host. */
  readonly env: Readonly<Record<string, string>>;
}

/** Whose a job is, and what it belongs to. */
export interface JobOrigin {
  readonly project: string;
  readonly design: string;
  readonly owner: string;
  /** The job of which this one is another run. */
  readonly parentJobId: TaskId | null;
  /** Its place in its array, from 0; null for a job of its own. */
  readonly arrayIndex: number | null;
}

/** A job that a client wants to have run. */
export interface JobSubmission extends JobInput, JobOrigin {
  /** Higher goes first. */
  readonly priority: number;
  /** Time limit of one try in ms; `Infinity`: none. */
  readonly timeoutMs: number;
  readonly slots: number;
  /** Cores. */
  readonly cpu: number;
  readonly memoryGb: number;
  readonly needs: JobNeeds;
}

/** The JSON texts under which a job is kept. */
export function jobPayload(job: JobSubmission): {
  readonly taskInput: string;
  readonly metadata: string;
} {
  const { command, workdir, env, project, design, owner, parentJobId, arrayIndex } = job;
  const metadata = {
    project,
    design,
    owner,
    ...(parentJobId === null ? {} : { parent_job_id: parentJobId }),
    ...(arrayIndex === null ? {} : { array_index: arrayIndex }),
  };
  return {
    taskInput: JSON.stringify({ command, workdir, env } satisfies JobInput),
    metadata: JSON.stringify(metadata),
  };
}

/** What the kept text of a job's input says. */
export function jobInputIn(text: string): JobInput {
  return JSON.parse(text) as JobInput;
}

/** What the kept text of a job's metadata says. */
export function jobOriginIn(text: string): JobOrigin {
  const kept = JSON.parse(text) as Pick<JobOrigin, 'project' | 'design' | 'owner'> & {
    readonly parent_job_id?: TaskId;
    readonly array_index?: number;
  };
  const { project, design, owner } = kept;
  const parentJobId = kept.parent_job_id ?? null;
  return { project, design, owner, parentJobId, arrayIndex: kept.array_index ?? null };
}

/** The variables of a job that is one of an array. */
const ARRAY = { index: 'FORESAIL_ARRAY_INDEX', parameter: 'FORESAIL_ARRAY_PARAMETER' } as const;

/**
 * One job per item of the array, alike but for their environment.
 * @param items how many, or the parameter of each
 */
export function arrayOf(job: JobSubmission, items: number | readonly string[]): JobSubmission[] {
  const parameters = typeof items === 'number' ? Array<undefined>(items).fill(undefined) : items;
  return parameters.map((parameter, arrayIndex) => {
    const own = parameter === undefined ? {} : { [ARRAY.parameter]: parameter };
    return { ...job, arrayIndex, env: { ...job.env, [ARRAY.index]: String(arrayIndex), ...own } };
  });
}
