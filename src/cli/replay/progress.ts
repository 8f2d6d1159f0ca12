/** Shows how far a replay is. */
export interface ProgressBars {
  accepted(): void;
  ended(): void;
  /** Leaves the bars as they are, on lines of their own. */
  stop(): void;
}

const SILENT: ProgressBars = {
  accepted: () => undefined,
  ended: () => undefined,
  stop: () => undefined,
};

/** Two bars on standard error, for accepted and ended tasks; nothing where it is no terminal. */
export async function startProgress(total: number): Promise<ProgressBars> {
  if (!process.stderr.isTTY) return SILENT;
  const { MultiBar, Presets } = await import('cli-progress');
  const bars = new MultiBar(
    { format: '{name} {bar} {value}/{total} · {duration_formatted}', hideCursor: true },
    Presets.shades_classic,
  );
  const submitted = bars.create(total, 0, { name: 'submitted' });
  const completed = bars.create(total, 0, { name: 'completed' });
  return {
    accepted: () => submitted.increment(),
    ended: () => completed.increment(),
    stop: () => bars.stop(),
  };
}
