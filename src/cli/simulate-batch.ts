import type { BatchRow } from '../simulation/traces/batch-trace';
import { spreadOf } from '../simulation/spread';
import { print, recordText, type OutputFormat } from './output';

/** What a batch trace holds, as it is printed. Times in seconds. */
interface BatchSummary {
  readonly trace: string;
  readonly jobs: number;
  /** Jobs that span several hosts, which are not simulated. */
  readonly left_out: number;
  readonly users: number;
  readonly span: number;
  readonly cpu_hours: number;
  readonly widest: number;
  readonly run: { readonly p50: number | null; readonly mean: number | null };
  readonly limit_over_run: { readonly p50: number | null };
}

const NOT_YET =
  'no strategy places batch jobs on hosts yet: this is what the trace holds, nothing was simulated';

/** Prints what a batch trace holds, and that nothing can place its jobs yet. */
export async function showBatchTrace(
  trace: string,
  limit: number,
  output: OutputFormat | undefined,
): Promise<void> {
  const { readBatchTrace } = await import('../simulation/traces/batch-trace.js');
  const { jobs, leftOut } = await readBatchTrace(trace, limit);
  const summary = summaryOf(trace, jobs, leftOut);
  process.stderr.write(`${NOT_YET}\n`);
  print({ json: { ...summary, runs: [] }, text: () => textOf(summary) }, output);
}

function summaryOf(trace: string, jobs: readonly BatchRow[], leftOut: number): BatchSummary {
  const run = spreadOf(jobs.map(({ runSeconds }) => runSeconds));
  const over = jobs.flatMap(({ limitSeconds, runSeconds }) =>
    limitSeconds === null || runSeconds === 0 ? [] : [limitSeconds / runSeconds],
  );
  const cpuSeconds = jobs.reduce((sum, job) => sum + job.cpusPerNode * job.runSeconds, 0);
  return {
    trace,
    jobs: jobs.length,
    left_out: leftOut,
    users: new Set(jobs.map(({ user }) => user)).size,
    span: (jobs.at(-1)?.submitSeconds ?? 0) - (jobs[0]?.submitSeconds ?? 0),
    cpu_hours: Math.round(cpuSeconds / 3_600),
    widest: jobs.reduce((most, { cpusPerNode }) => Math.max(most, cpusPerNode), 0),
    run: { p50: run.p50, mean: run.mean },
    limit_over_run: { p50: spreadOf(over).p50 },
  };
}

function textOf(summary: BatchSummary): string {
  const { jobs, left_out: leftOut, users, span, cpu_hours: cpuHours, widest, run } = summary;
  return recordText([
    ['jobs', String(jobs)],
    ['left out, over several hosts', String(leftOut)],
    ['users', String(users)],
    ['time', `${(span / 86_400).toFixed(1)} days`],
    ['work', `${cpuHours} CPU hours`],
    ['widest job', `${widest} CPUs`],
    ['median run time', `${(run.p50 ?? 0).toFixed(0)} s`],
    ['mean run time', `${(run.mean ?? 0).toFixed(0)} s`],
    ['median of limit over run time', (summary.limit_over_run.p50 ?? 0).toFixed(1)],
  ]);
}
