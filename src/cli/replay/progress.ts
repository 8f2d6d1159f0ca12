/** Shows how far a replay is; nothing where standard error is no terminal. */
export interface ProgressBars {
  accepted(): void;
  ended(): void;
  /** Leaves the bars as they are, on lines of their own. */
  stop(): void;
}

/** Two bars on standard error, for submitted and completed tasks. */
export async function startProgress(total: number): Promise<ProgressBars> {
  const { MultiBar, Presets } = await import('cli-progress');
  const bars = new MultiBar(
    { format: '{name} {bar} {value}/{total} · {duration_formatted}', hideCursor: true },
    Presets.shades_classic,
  );
  const submitted = bars.create(total, 0, { name: 'submitted' });
  const completed = bars.create(total, 0, { name: 'ended    ' });
  return {
    accepted: () => submitted.increment(),
    ended: () => completed.increment(),
    stop: () => bars.stop(),
  };
}
