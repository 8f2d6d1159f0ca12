import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeScratch, scratchDirectory } from '../test/support/scratch';
import { ServiceProcess } from '../test/support/service-process';
import { until } from '../test/support/until';
import { endPart, startPart } from './child';
import { drive, type Call, type Load } from './load';

/**
 * `npm run bench:scale`: a fleet of many instances with a long line before it. Prints a Markdown
 * table with this machine's own echo rate of the same run. `FORESAIL_BENCH_INSTANCES` and
 * `FORESAIL_BENCH_TASKS` make it smaller.
 */
const INSTANCES = Number(process.env['FORESAIL_BENCH_INSTANCES'] ?? 500);
const TASKS = Number(process.env['FORESAIL_BENCH_TASKS'] ?? 100_000);
const MODELS = 20;
const CONNECTIONS = 32;
const PATIENCE_MS = 300_000;
/** Of Linux, everywhere that it runs. */
const MS_PER_TICK = 10;
const REST_MS = 15_000;
const PROMPT = 'x'.repeat(200);

const rows: string[][] = [];

async function main(): Promise<void> {
  const folder = await scratchDirectory();
  const env = {
    FORESAIL_DATA_DIR: join(folder, 'data'),
    FORESAIL_LIVE_TASKS: '10000000',
    FORESAIL_LOG_LEVEL: 'info',
  };
  const serve = (): Promise<ServiceProcess> => ServiceProcess.start({ databaseUrl: '', env });
  const lead = async (): Promise<ServiceProcess> => {
    const service = await serve();
    await untilLeading(service);
    return service;
  };
  const herd = await startPart('worker-herd', String(INSTANCES), String(MODELS));
  const open: ServiceProcess[] = [];
  try {
    await measureEcho();
    const first = await timed('start to ready, the very first', lead);
    await first.stop();
    const leader = await timed('start to ready, warm, empty', lead);
    open.push(leader);
    note('resident memory, empty', `${residentMib(leader)} MiB`);
    await fill(leader, herd.ports);
    note('resident memory, full', `${residentMib(leader)} MiB`);
    await measureRest(leader);
    await measureCalls(leader);
    note(
      'resident memory, after the calls',
      `${residentMib(leader)} MiB (peak ${peakMib(leader)})`,
    );
    const standby = await serve();
    open.push(standby);
    await takeover(leader, standby);
    note('resident memory, after the takeover', `${residentMib(standby)} MiB`);
    await standby.stop();
    const last = await timed('start to ready, warm, full', lead);
    open.push(last);
    note('of it, making the term from the rows', `${await termMs(last)} ms`);
  } finally {
    for (const { log } of open) {
      const warnings = log.split('\n').filter((line) => /"level":[4-6]0/.test(line));
      process.stderr.write(`${warnings.slice(0, 20).join('\n')}\n`);
    }
    await Promise.all(open.map((service) => service.kill()));
    await endPart(herd);
    await removeScratch(folder);
  }
  print();
}

async function measureEcho(): Promise<void> {
  const echo = await startPart('echo');
  const origin = `http://127.0.0.1:${echo.ports[0]}`;
  await measure(
    'echo of the same body, raw node:http',
    echo.child,
    origin,
    submitting('e', 20_000),
  );
  await endPart(echo);
}

async function untilLeading(service: ServiceProcess): Promise<void> {
  const leads = async (): Promise<boolean> => (await service.get('/health')).status === 200;
  await until(leads, 'leadership', PATIENCE_MS);
}

/** Registers every worker, and submits until that many tasks wait. */
async function fill(service: ServiceProcess, ports: readonly number[]): Promise<void> {
  const { child, url } = service;
  await measure(`POST /ti/register, ${INSTANCES} instances`, child, url, {
    requests: ports.length,
    connections: CONNECTIONS,
    call: (n) => post('/ti/register', { host: '127.0.0.1', port: ports[n] }),
  });
  const submissions = submitting('t', TASKS + INSTANCES);
  await measure(`POST /queue/submit, until ${TASKS} wait`, child, url, submissions);
}

/** What it costs to look after the fleet while nobody asks for anything. */
async function measureRest({ child }: ServiceProcess): Promise<void> {
  const before = cpuMs(child.pid);
  await sleep(REST_MS);
  const share = (cpuMs(child.pid) - before) / REST_MS;
  note('computing at rest, of one core', `${(share * 100).toFixed(0)} %`);
}

async function measureCalls({ child, url }: ServiceProcess): Promise<void> {
  const get = (what: string, requests: number, path: (n: number) => string): Promise<void> => {
    const call = (n: number): Call => ({ method: 'GET', path: path(n) });
    return measure(`GET ${what}`, child, url, { requests, connections: 8, call });
  };
  await get('/v1/instances', 400, () => '/v1/instances');
  await get('/queue/info, every model', 400, () => '/queue/info');
  await get('/queue/info, one model', 4_000, (n) => `/queue/info?model_name=model-${n % MODELS}`);
  await get('/task/query', 10_000, (n) => `/task/query?task_id=t-${(n * 7_919) % TASKS}`);
  await measure('POST /queue/submit, on top', child, url, submitting('u', 10_000));
}

/** Kills the leader and waits until the standby answers in its place. */
async function takeover(leader: ServiceProcess, standby: ServiceProcess): Promise<void> {
  const began = performance.now();
  await leader.kill();
  await untilLeading(standby);
  note('takeover by a standby after kill -9', `${ms(performance.now() - began)} ms`);
  note('of it, making the term from the rows', `${await termMs(standby)} ms`);
}

function submitting(prefix: string, requests: number): Load {
  const call = (n: number): Call =>
    post('/queue/submit', {
      model_name: `model-${n % MODELS}`,
      task_id: `${prefix}-${n}`,
      task_input: { prompt: PROMPT },
      metadata: { service_ms: 500 + (n % 100) },
    });
  return { requests, connections: CONNECTIONS, call };
}

function post(path: string, body: object): Call {
  return { method: 'POST', path, body: JSON.stringify(body) };
}

async function timed(what: string, start: () => Promise<ServiceProcess>): Promise<ServiceProcess> {
  const began = performance.now();
  const service = await start();
  const took = performance.now() - began;
  note(what, `${ms(took)} ms`, '', '', `${ms(cpuMs(service.child.pid))} ms in all`);
  return service;
}

/** What the log says of the making of the first term. */
async function termMs(service: ServiceProcess): Promise<number> {
  const said = (): string | undefined => /"msg":"leading".*?"tookMs":(\d+)/.exec(service.log)?.[1];
  await until(() => said() !== undefined, 'the line of the log');
  return Number(said());
}

function residentMib(service: ServiceProcess): string {
  return mibOf(service, 'VmRSS');
}

function peakMib(service: ServiceProcess): string {
  return mibOf(service, 'VmHWM');
}

/** From the kernel's account of the process; Linux only. */
function mibOf({ child }: ServiceProcess, field: string): string {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return (Number(kib) / 1_024).toFixed(0);
}

/** Drives a load against a process, and notes what it saw and what it cost there. */
async function measure(
  what: string,
  { pid }: ChildProcess,
  origin: string,
  load: Load,
): Promise<void> {
  const before = cpuMs(pid);
  const { perSecond, p50Ms, p99Ms, failures, firstFailure } = await drive(origin, load);
  const cost = ((cpuMs(pid) - before) * 1_000) / load.requests;
  if (failures > 0) process.stderr.write(`${what}: ${firstFailure}\n`);
  const failed = failures === 0 ? what : `${what} (${failures} failed)`;
  const rate = `${perSecond.toFixed(0)}/s`;
  note(failed, rate, `${p50Ms.toFixed(1)} ms`, `${p99Ms.toFixed(1)} ms`, `${cost.toFixed(0)} µs`);
}

/** Time that a process has computed, in ms. It says more than a rate where others compute too. */
function cpuMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

function note(...cells: readonly string[]): void {
  rows.push([...cells]);
  process.stderr.write(`${cells.join('  ')}\n`);
}

function ms(duration: number): string {
  return duration.toFixed(0);
}

function print(): void {
  const head = ['what', 'figure', 'p50', 'p99', 'CPU per call'];
  const lines = [head, head.map(() => '---'), ...rows];
  const text = lines.map((cells) => `| ${head.map((_, n) => cells[n] ?? '').join(' | ')} |`);
  const where = `${cpus().length} cores, Node ${process.version}`;
  process.stdout.write(
    `${INSTANCES} instances, ${TASKS} waiting tasks, ${where}\n\n${text.join('\n')}\n`,
  );
}

void main();
