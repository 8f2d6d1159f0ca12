import { SchedulerError } from '../../core/errors';
import type { Plain } from '../../http/dto-fields';
import type { HostRegistration } from '../../instances/hosts.service';
import { arrayOf, type JobSubmission } from '../../tasks/job-submission';
import type { RegisterHostDto } from './dto/host.dto';
import type { OperatorQueryDto } from './dto/job.dto';
import { LARGEST_BATCH, LONGEST_NAME } from './dto/limits';
import type { SubmitJobsDto, SubmitJobDto } from './dto/submit-job.dto';

type Place = readonly (string | number)[];

const LABEL_NAME = /^(?!\s*$)\P{Cc}+$/u;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MS_PER_SEC = 1_000;
/** Of a host that does not say how much memory it has. */
const GB_PER_SLOT = 2;
const LEAST_GB = 2;
const LONGEST_KEY = 200;

/** An input that is wrong at that place. */
export function refused(loc: Place, msg: string, type = 'value'): SchedulerError {
  return new SchedulerError('invalid_input', msg, { faults: [{ loc, msg, type }] });
}

/** What a host is registered with. @throws {SchedulerError} invalid_input for a wrong label */
export function toHost(dto: Plain<RegisterHostDto>): HostRegistration {
  const { host_id: hostId, total_slots: slots, executor_prefix: executorPrefix } = dto;
  const { total_cpu: cpu = slots, total_memory_gb: memoryGb } = dto;
  return {
    hostId,
    size: { slots, cpu, memoryGb: memoryGb ?? Math.max(GB_PER_SLOT * slots, LEAST_GB) },
    labels: labelsIn(dto.labels, ['body', 'labels']),
    executorPrefix: executorPrefix.trim(),
  };
}

/** Why no command may work in a folder; undefined when it may. */
export interface Places {
  objectionTo(workdir: string): string | undefined;
}

/**
 * The job of a submission of one.
 * @throws {SchedulerError} invalid_input for a variable, label or folder that is wrong, and for an
 *   array
 */
export function toSubmission(dto: Plain<SubmitJobDto>, places: Places): JobSubmission {
  for (const field of ['count', 'parameters'] as const) {
    if (dto[field] === undefined) continue;
    const msg = `${field} makes an array, which is submitted in a batch: POST /scheduler/jobs/batch`;
    throw refused(['body', field], msg);
  }
  return submissionOf(dto, ['body'], places);
}

/**
 * The jobs of a batch, those of its arrays one by one.
 * @throws {SchedulerError} invalid_input naming job and field
 */
export function toSubmissions(
  { jobs }: Plain<SubmitJobsDto>,
  places: Places,
): readonly JobSubmission[] {
  const all: JobSubmission[] = [];
  for (const [index, dto] of jobs.entries()) {
    all.push(...itemsOf(dto, ['body', 'jobs', index], places));
    if (all.length <= LARGEST_BATCH) continue;
    const msg = `jobs must be at most ${LARGEST_BATCH}, those of arrays counted one by one`;
    throw refused(['body', 'jobs'], msg, 'length');
  }
  return all;
}

/** Who asks for a control: nobody said is `api`, an empty name too. */
export function operatorIn({ operator }: Plain<OperatorQueryDto>): string {
  return operator === '' ? 'api' : operator;
}

/**
 * The client's own name for a submission; null without one.
 * @throws {SchedulerError} invalid_input
 */
export function toKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  if (header !== '' && header.length <= LONGEST_KEY && /^[\x20-\x7e]+$/.test(header)) return header;
  const msg = `Idempotency-Key must be 1 to ${LONGEST_KEY} printable ASCII characters`;
  throw refused(['header', 'idempotency-key'], msg);
}

function itemsOf(dto: Plain<SubmitJobDto>, loc: Place, places: Places): readonly JobSubmission[] {
  const job = submissionOf(dto, loc, places);
  const { count, parameters } = dto;
  if (count !== undefined && parameters !== undefined) {
    const where = labelOf([...loc, 'count']);
    throw refused([...loc, 'count'], `${where} and parameters exclude each other`);
  }
  const items = parameters ?? count;
  return items === undefined ? [job] : arrayOf(job, items);
}

function submissionOf(dto: Plain<SubmitJobDto>, loc: Place, places: Places): JobSubmission {
  const { resource_request: request, timeout_sec: timeoutSec } = dto;
  const { project, design, owner, priority, command, workdir } = dto;
  const at = [...loc, 'workdir'];
  const objection = places.objectionTo(workdir);
  if (objection !== undefined) throw refused(at, `${labelOf(at)}: ${objection}`);
  return {
    command,
    workdir,
    env: variablesIn(dto.env, [...loc, 'env']),
    project,
    design,
    owner,
    parentJobId: null,
    arrayIndex: null,
    priority,
    timeoutMs: timeoutSec === 0 ? Infinity : timeoutSec * MS_PER_SEC,
    slots: request.slots,
    cpu: request.cpu,
    memoryGb: request.memory_gb,
    needs: {
      labels: labelsIn(request.host_labels, [...loc, 'resource_request', 'host_labels']),
      tool: request.tool_version,
      tokens: request.license_tokens,
      retryLimit: dto.retry_limit,
    },
  };
}

function labelsIn(labels: object, loc: Place): Readonly<Record<string, string>> {
  return textsIn(labels, loc, (name) =>
    LABEL_NAME.test(name) && name.length <= LONGEST_NAME
      ? undefined
      : `a label's name is 1 to ${LONGEST_NAME} characters, not blank`,
  );
}

function variablesIn(env: object, loc: Place): Readonly<Record<string, string>> {
  return textsIn(env, loc, (name) =>
    VARIABLE_NAME.test(name) ? undefined : `a variable's name is like ${VARIABLE_NAME.source}`,
  );
}

/** @param objection to a name; undefined: it is fine */
function textsIn(
  given: object,
  loc: Place,
  objection: (name: string) => string | undefined,
): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    const at = [...loc, name];
    const wrong = objection(name);
    if (wrong !== undefined)
      throw refused(at, `${labelOf(loc)}: ${wrong}; got ${JSON.stringify(shown(name))}`);
    if (typeof value === 'string') continue;
    throw refused(at, `${labelOf(at)} must be a string; got ${kindOf(value)}`, 'type');
  }
  return { ...given };
}

/** `jobs[3].env.X`: the location without its head. */
function labelOf(loc: Place): string {
  const parts = loc
    .slice(1)
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${shown(part)}`));
  return parts.join('').replace(/^\./, '');
}

function shown(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
