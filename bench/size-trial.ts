import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceProcess } from '../test/support/service-process';
import { until } from '../test/support/until';
import { register, submitting } from './herd';
import { NUMBER, type Call } from './load';
import { cpuMs, peakMib, residentMib } from './process-cost';
import { untilLeading, type Costed, type Surroundings } from './surroundings';

/** How large it is made. */
export interface Size {
  readonly instances: number;
  /** That wait, one more per instance being there. */
  readonly tasks: number;
  /** Whether calls are measured while it is full, and what it computes at rest. */
  readonly calls: boolean;
}

/** How long a process took to lead. */
export interface Started {
  readonly ms: number;
  /** What it computed in that time, in ms. */
  readonly cpuMs: number;
  /** Of it: making the term from the rows, in ms, by its own word. */
  readonly termMs: number;
}

/** What a load came to, in words and figures. */
export interface Called {
  readonly what: string;
  readonly costed: Costed;
}

/** What was seen of a fleet of that size. Memory is what was resident, in MiB. */
export interface SizeFigures {
  readonly first: Started;
  readonly warm: Started;
  readonly emptyMib: number;
  readonly calls: readonly Called[];
  readonly fullMib: number;
  /** Share of a core while nobody asks for anything; null when it was not measured. */
  readonly restShare: number | null;
  readonly peakMib: number;
  /** From `kill -9` of the leader to the first answer of the standby, and of it the term, in ms. */
  readonly takeoverMs: number;
  readonly takeoverTermMs: number;
  readonly takenOverMib: number;
  /** Half a minute later, in which every instance was asked how it is, again and again. */
  readonly settledMib: number;
  /** Start with all tasks in the database. */
  readonly full: Started;
}

/** Served by the instances in turn. */
export const MODELS = 20;
const REST_MS = 15_000;
const SETTLING_MS = 30_000;
const READING_CONNECTIONS = 8;

/** Starts empty, fills up, is killed, is taken over, and starts full. */
export async function tried(surroundings: Surroundings, size: Size): Promise<SizeFigures> {
  const { instances } = size;
  const herd = await surroundings.start('worker-herd', `${instances}`, `${MODELS}`);
  const { service: beginner, started: first } = await startTimed(surroundings);
  await beginner.stop();
  const { service: leader, started: warm } = await startTimed(surroundings);
  const emptyMib = residentMib(leader.child.pid);
  const registered = await register(surroundings, { service: leader }, herd);
  const filled = await fill(surroundings, leader, size);
  const fullMib = residentMib(leader.child.pid);
  const restShare = size.calls ? await restOf(leader) : null;
  const called = size.calls ? await callsOf(surroundings, leader, size) : [];
  const peak = peakMib(leader.child.pid);
  const taken = await takeover(surroundings, leader);
  const { started: full } = await startTimed(surroundings);
  return {
    first,
    warm,
    emptyMib,
    calls: [
      { what: `POST /ti/register, ${instances} instances`, costed: registered },
      { what: `POST /queue/submit, until ${size.tasks} wait`, costed: filled },
      ...called,
    ],
    fullMib,
    restShare,
    peakMib: peak,
    ...taken,
    full,
  };
}

async function startTimed(
  surroundings: Surroundings,
): Promise<{ readonly service: ServiceProcess; readonly started: Started }> {
  const began = performance.now();
  const { service } = await surroundings.serve({ name: 'size' });
  const ms = performance.now() - began;
  const started = { ms, cpuMs: cpuMs(service.child.pid), termMs: await termMs(service) };
  return { service, started };
}

/** Submits until that many tasks wait. */
function fill(
  surroundings: Surroundings,
  { child, url }: ServiceProcess,
  { tasks, instances }: Size,
): Promise<Costed> {
  const requests = tasks + instances;
  return surroundings.drive(child.pid, url, { ...submitting('t', MODELS), requests });
}

/** What it costs to look after the fleet while nobody asks for anything. */
async function restOf({ child }: ServiceProcess): Promise<number> {
  const before = cpuMs(child.pid);
  await sleep(REST_MS);
  return (cpuMs(child.pid) - before) / REST_MS;
}

async function callsOf(
  surroundings: Surroundings,
  { child, url }: ServiceProcess,
  { tasks }: Size,
): Promise<readonly Called[]> {
  const called: Called[] = [];
  const get = async (what: string, requests: number, paths: readonly string[]): Promise<void> => {
    const calls = paths.map((path): Call => ({ method: 'GET', path }));
    const load = { calls, requests, among: tasks, connections: READING_CONNECTIONS };
    called.push({ what: `GET ${what}`, costed: await surroundings.drive(child.pid, url, load) });
  };
  const infos = Array.from({ length: MODELS }, (_, n) => `/queue/info?model_name=model-${n}`);
  await get('/v1/instances', 400, ['/v1/instances']);
  await get('/queue/info, every model', 400, ['/queue/info']);
  await get('/queue/info, one model', 4_000, infos);
  await get('/task/query', 10_000, [`/task/query?task_id=t-${NUMBER}`]);
  const onTop = { ...submitting('u', MODELS), requests: 10_000 };
  const costed = await surroundings.drive(child.pid, url, onTop);
  return [...called, { what: 'POST /queue/submit, on top', costed }];
}

type TakenOver = Pick<SizeFigures, 'takeoverMs' | 'takeoverTermMs' | 'takenOverMib' | 'settledMib'>;

/** Kills the leader and waits until a standby answers in its place. The standby is stopped then. */
async function takeover(surroundings: Surroundings, leader: ServiceProcess): Promise<TakenOver> {
  const standby = await surroundings.standBy({ name: 'size' });
  const began = performance.now();
  await leader.kill();
  await untilLeading(standby);
  const takeoverMs = performance.now() - began;
  const takenOverMib = residentMib(standby.child.pid);
  const takeoverTermMs = await termMs(standby);
  await sleep(SETTLING_MS);
  const settledMib = residentMib(standby.child.pid);
  await standby.stop();
  return { takeoverMs, takeoverTermMs, takenOverMib, settledMib };
}

/** What the log says of the making of the first term. */
async function termMs(service: ServiceProcess): Promise<number> {
  const said = (): string | undefined => /"msg":"leading".*?"tookMs":(\d+)/.exec(service.log)?.[1];
  await until(() => said() !== undefined, 'the line of the log');
  return Number(said());
}
