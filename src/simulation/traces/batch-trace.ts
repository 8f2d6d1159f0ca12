import { ascending, decimal, optional, readTable, text, whole } from './csv-table';

/** One job of a recorded batch system. */
export interface BatchRow {
  /** Seconds from the beginning of the recording. */
  readonly submitSeconds: number;
  readonly user: string;
  readonly queue: string;
  /** Equal parts, each of which needs one host. */
  readonly nodes: number;
  readonly cpusPerNode: number;
  /** Memory of the whole job in MiB; 0 while unknown. */
  readonly memoryMb: number;
  /** What the user asked for; null when he did not say. */
  readonly limitSeconds: number | null;
  readonly runSeconds: number;
  readonly labels: readonly string[];
}

const COLUMNS = {
  submit_s: ascending(decimal(1e10)),
  user: text,
  queue: text,
  nodes: whole(1e6),
  cpus_per_node: whole(1e6),
  mem_mb: decimal(1e12),
  req_time_s: optional(decimal(1e10)),
  run_s: decimal(1e10),
  labels: text,
};

/** Jobs of a batch trace that can be simulated, and how many were left out. */
export interface BatchTrace {
  readonly jobs: readonly BatchRow[];
  /** Jobs that span several hosts, which one task cannot. */
  readonly leftOut: number;
}

/**
 * Reads a trace of batch jobs: CSV with the columns `submit_s` (ascending), `user`, `queue`,
 * `nodes`, `cpus_per_node`, `mem_mb`, `req_time_s`, `run_s` and `labels`.
 * @throws {TraceError}
 */
export async function readBatchTrace(path: string, limit = Infinity): Promise<BatchTrace> {
  const rows = await readTable(path, COLUMNS, limit);
  const jobs = rows.map((row) => ({
    submitSeconds: row.submit_s,
    user: row.user,
    queue: row.queue,
    nodes: row.nodes,
    cpusPerNode: row.cpus_per_node,
    memoryMb: row.mem_mb,
    limitSeconds: row.req_time_s,
    runSeconds: row.run_s,
    labels: row.labels === '' ? [] : row.labels.split('|'),
  }));
  const single = jobs.filter(({ nodes }) => nodes === 1);
  return { jobs: single, leftOut: jobs.length - single.length };
}
