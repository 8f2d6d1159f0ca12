import type { Job } from './job-record';

/** Shows how far a batch of jobs is. */
export interface JobProgress {
  show(jobs: readonly Job[]): void;
  /** Leaves the bar as it is, on a line of its own. */
  stop(): void;
}

const SILENT: JobProgress = { show: () => undefined, stop: () => undefined };

/** A bar on standard error, for jobs that have ended; nothing where it is no terminal. */
export async function startJobProgress(total: number): Promise<JobProgress> {
  if (!process.stderr.isTTY) return SILENT;
  const { SingleBar, Presets } = await import('cli-progress');
  const format =
    '{bar} {value}/{total} · {running} running · {failed} not well · {duration_formatted}';
  const bar = new SingleBar({ format, hideCursor: true }, Presets.shades_classic);
  bar.start(total, 0, { running: 0, failed: 0 });
  return {
    show: (jobs) => {
      const ended = jobs.filter(({ hasEnded }) => hasEnded);
      const running = jobs.filter(({ status }) => status === 'RUNNING').length;
      const failed = ended.filter(({ status }) => status !== 'SUCCESS').length;
      bar.update(ended.length, { running, failed });
    },
    stop: () => bar.stop(),
  };
}
