import { durationText, tableText, type Column } from '../output';
import type { ReplayOutcome } from './run-replay';
import { medianOf, spreadOf, type Spread } from '../../simulation/spread';

/** What a replay found, all durations in seconds; figures without samples are null. */
export interface ReplaySummary {
  /** Tasks that the service accepted. */
  readonly submitted: number;
  /** Of these, tasks that succeeded. */
  readonly completed: number;
  /** Of these, tasks that ended in any other way. */
  readonly failed: number;
  readonly wallSeconds: number;
  readonly wait: Spread;
  readonly service: Spread;
  /** Predicted by actual service time. */
  readonly predictedOverActual: { readonly p50: number | null };
}

/** Counts and spreads of a replay. Times are of the tasks that succeeded. */
export function summaryOf({ submitted, endings, wallSeconds }: ReplayOutcome): ReplaySummary {
  const good = endings.filter(({ state }) => state === 'succeeded');
  return {
    submitted,
    completed: good.length,
    failed: endings.length - good.length,
    wallSeconds: Math.round(wallSeconds * 1000) / 1000,
    wait: spreadOf(good.flatMap(({ waitSeconds }) => waitSeconds ?? [])),
    service: spreadOf(good.flatMap(({ serviceSeconds }) => serviceSeconds ?? [])),
    predictedOverActual: {
      p50: medianOf(good.flatMap(({ predictedOverActual }) => predictedOverActual ?? [])),
    },
  };
}

/** The summary for people. */
export function summaryText(summary: ReplaySummary): string {
  const { submitted, completed, failed, wallSeconds, predictedOverActual } = summary;
  const open = submitted - completed - failed;
  const counts = [
    `${submitted} submitted`,
    `${completed} completed`,
    `${failed} failed`,
    ...(open > 0 ? [`${open} not ended`] : []),
  ];
  const ratio = predictedOverActual.p50;
  const rows = [
    { name: 'wait', spread: summary.wait },
    { name: 'service time', spread: summary.service },
  ];
  return (
    `${counts.join(', ')} in ${durationText(wallSeconds * 1000)}\n\n` +
    tableText(rows, SPREAD_COLUMNS, '') +
    `\npredicted / actual service time, median: ${ratio === null ? '–' : ratio.toFixed(3)}\n`
  );
}

interface SpreadRow {
  readonly name: string;
  readonly spread: Spread;
}

const SPREAD_COLUMNS: readonly Column<SpreadRow>[] = [
  { head: '', value: ({ name }) => name },
  ...(['mean', 'p50', 'p95', 'p99', 'max'] as const).map((figure): Column<SpreadRow> => ({
    head: figure,
    align: 'right',
    value: ({ spread }) => secondsText(spread[figure]),
  })),
];

function secondsText(seconds: number | null): string {
  return seconds === null ? '–' : durationText(seconds * 1000);
}
